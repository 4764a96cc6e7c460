import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels as portable } from '../src/kernels/portableKernels.js';
import { compare, warmCopy } from './harness.js';

const ELEMENTS = 1 << 20;
/** Quantized weights that have a scale in common. */
const GROUP = 128;

/** Half and bfloat16 to and from f32, quantized integers to f32. The copy is of the f32 side. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  const numbers = Float32Array.from({ length: ELEMENTS }, (_, i) => Math.sin(i) / 8);
  const patterns = { bfloat16: portable.float32ToBfloat16(numbers), half: portable.float32ToHalf(numbers) };
  const wide = new Float32Array(ELEMENTS);
  const narrow = new Uint16Array(ELEMENTS);
  for (const [format, widen, round] of [
    ['bfloat16', 'bfloat16ToFloat32', 'float32ToBfloat16'],
    ['half', 'halfToFloat32', 'float32ToHalf'],
  ] as const) {
    await compare(`${format} to f32`, numbers.byteLength, [
      warmCopy(numbers.byteLength),
      { name: 'portable', run: () => portable[widen](patterns[format], wide), baseline: true },
      { name: 'wasm', run: () => wasm[widen](patterns[format], wide) },
    ]);
    await compare(`f32 to ${format}`, numbers.byteLength, [
      warmCopy(numbers.byteLength),
      { name: 'portable', run: () => portable[round](numbers, narrow), baseline: true },
      { name: 'wasm', run: () => wasm[round](numbers, narrow) },
    ]);
  }
  const quantized = Int8Array.from({ length: ELEMENTS }, (_, i) => i * 37);
  const scales = numbers.subarray(0, ELEMENTS / GROUP);
  await compare(`int8 to f32, groups of ${GROUP}`, numbers.byteLength, [
    warmCopy(numbers.byteLength),
    {
      name: 'portable',
      run: () => portable.dequantizeGroups(quantized, scales, GROUP, 3, wide),
      baseline: true,
    },
    { name: 'wasm', run: () => wasm.dequantizeGroups(quantized, scales, GROUP, 3, wide) },
  ]);
}

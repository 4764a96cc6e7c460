import { embedded } from '../src/encodings/embedded/embedded.js';
import { float32ToBfloat16 } from '../src/float.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels } from '../src/kernels/portable/index.js';
import type { Tensor } from '../src/tensor.js';
import { compare, warmCopy } from './harness.js';

const SIZE = 1024;
const FRAGMENTS = 8;

/** Encodes and decodes a Gaussian matrix: from the tensor to payloads, from payloads to elements, and to numbers. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  const values = gaussian(SIZE * SIZE);
  const shape = [SIZE, SIZE];
  await bench({ dtype: 'F32', shape, data: values }, wasm);
  await bench({ dtype: 'BF16', shape, data: float32ToBfloat16(values) }, wasm);
}

async function bench(tensor: Tensor<'F32' | 'BF16'>, wasm: Kernels): Promise<void> {
  const common = { rows: SIZE, cols: SIZE, fragments: FRAGMENTS, seed: 0n };
  const encode = (kernels: Kernels) => embedded.encode({ ...common, tensor, kernels }, {}).payloads;
  const payloads = encode(wasm);
  const elements = new Uint8Array(tensor.data.byteLength);
  const numbers = new Float32Array(SIZE * SIZE);
  const decoder = (kernels: Kernels) => {
    const request = { ...common, dtype: tensor.dtype, norm: undefined, kernels };
    const made = embedded.createDecoder(request, {});
    for (const [index, payload] of payloads.entries()) made.addFragment(index, payload);
    return made;
  };
  const title = `embedded ${tensor.dtype} ${SIZE}²`;
  await compare(`${title}: encode`, tensor.data.byteLength, [
    warmCopy(tensor.data.byteLength),
    { name: 'portable', run: () => encode(portableKernels), baseline: true },
    { name: 'wasm', run: () => encode(wasm) },
  ]);
  await compare(`${title}: decode to elements`, tensor.data.byteLength, [
    warmCopy(tensor.data.byteLength),
    {
      name: 'portable',
      run: () => decoder(portableKernels).reconstructElements!(elements),
      baseline: true,
    },
    { name: 'wasm', run: () => decoder(wasm).reconstructElements!(elements) },
  ]);
  await compare(`${title}: decode to f32`, numbers.byteLength, [
    warmCopy(numbers.byteLength),
    { name: 'wasm', run: () => decoder(wasm).reconstruct(numbers) },
  ]);
}

/** Box–Muller on a small generator: the same numbers every time. */
function gaussian(length: number): Float32Array {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length },
    () => 0.02 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

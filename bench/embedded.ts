import { embedded } from '../src/encodings/embedded/embedded.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { portableKernels } from '../src/kernels/portableKernels.js';
import { float32ToBfloat16 } from '../src/tensor/float.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { normalFrom } from '../test/helpers/random.js';
import { compare, warmCopy } from './harness.js';

/** Sides: one that the portable kernels take, too, and one beyond all caches. */
const SMALL = 1024;
const LARGE = 4096;
const FRAGMENTS = 8;

/** Encodes and decodes a Gaussian matrix: from the tensor to payloads, from payloads to elements, and to numbers. */
export async function run(): Promise<void> {
  const wasm = await loadKernels({ implementation: 'wasm' });
  for (const side of [SMALL, LARGE]) {
    const normal = normalFrom(1);
    const values = Float32Array.from({ length: side * side }, () => 0.02 * normal());
    const shape = [side, side];
    await bench({ dtype: 'BF16', shape, data: float32ToBfloat16(values) }, wasm);
    await bench({ dtype: 'F32', shape, data: values }, wasm);
  }
}

async function bench(tensor: Tensor<'F32' | 'BF16'>, wasm: Kernels): Promise<void> {
  const side = tensor.shape[0]!;
  const common = { rows: side, cols: side, fragments: FRAGMENTS, seed: 0n };
  const encode = (kernels: Kernels) => embedded.encode({ ...common, tensor, kernels }, {}).payloads;
  const payloads = encode(wasm);
  const elements = new Uint8Array(tensor.data.byteLength);
  const numbers = new Float32Array(side * side);
  const decoder = (kernels: Kernels) => {
    const request = { ...common, dtype: tensor.dtype, norm: undefined, kernels };
    const made = embedded.createDecoder(request, {});
    for (const [index, payload] of payloads.entries()) made.addFragment(index, payload);
    return made;
  };
  const implementations = [
    ...(side === SMALL ? [{ name: 'portable', kernels: portableKernels, baseline: true }] : []),
    { name: 'wasm', kernels: wasm, baseline: false },
  ];
  const group = (what: string, bytes: number, work: (kernels: Kernels) => unknown) =>
    compare(`embedded ${tensor.dtype} ${side}²: ${what}`, bytes, [
      warmCopy(bytes),
      ...implementations.map(({ name, kernels, baseline }) => ({ name, baseline, run: () => work(kernels) })),
    ]);
  await group('encode', elements.byteLength, encode);
  await group('decode to elements', elements.byteLength, (kernels) =>
    decoder(kernels).reconstructElements!(elements),
  );
  await group('decode to f32', numbers.byteLength, (kernels) => decoder(kernels).reconstruct(numbers));
}

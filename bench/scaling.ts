import { ENCODINGS } from '../src/encodings/index.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { SeededRng } from '../src/rng.js';
import { compare, warmCopy } from './harness.js';

const DCT_SIDES = [64, 128, 256, 512, 1024, 2048, 4096];
const BLOCK_SIZES = [1, 4, 16, 64, 256, 1024].map((kib) => kib * 1024);
const FRAGMENT_COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const SIDE = 1024;

/** How times grow with sizes: MB/s should stay within a factor of two beyond the steps of the caches. */
export async function run(): Promise<void> {
  const kernels = await loadKernels();
  const rng = new SeededRng(3n);
  const numbers = Float32Array.from({ length: 4096 * 4096 }, () => 0.02 * rng.nextNormal());
  const out = new Float32Array(numbers.length).fill(1);

  for (const side of DCT_SIDES) {
    const data = numbers.subarray(0, side * side);
    const target = out.subarray(0, side * side);
    await compare(`DCT ${side}²`, data.byteLength, [
      warmCopy(data.byteLength),
      { name: 'wasm', run: () => kernels.dct2d(data, side, side, target) },
    ]);
  }

  for (const size of BLOCK_SIZES) {
    const block = new Uint8Array(kernels.float32ToBfloat16(numbers.subarray(0, size / 2)).buffer);
    const packed = kernels.lz4Compress(block);
    const unpacked = new Uint8Array(size);
    await compare(`blocks of ${size / 1024} KiB`, size, [
      warmCopy(size),
      { name: 'XXH3', run: () => kernels.xxh3(block) },
      { name: 'LZ4 decode', run: () => kernels.lz4DecompressInto(packed, unpacked) },
      { name: 'LZ4 encode', run: () => kernels.lz4Compress(block) },
    ]);
  }

  const data = numbers.subarray(0, SIDE * SIDE);
  const target = out.subarray(0, SIDE * SIDE);
  for (const fragments of FRAGMENT_COUNTS) {
    const request = {
      tensor: { dtype: 'F32', shape: [SIDE, SIDE], data },
      rows: SIDE,
      cols: SIDE,
      dtype: 'F32',
      fragments,
      seed: 1n,
      kernels,
    } as const;
    for (const name of ['spectral', 'embedded'] as const) {
      const encoding = ENCODINGS[name];
      const { payloads, norm } = encoding.encode(request, {});
      await compare(`${name}, ${payloads.length} fragments`, data.byteLength, [
        warmCopy(data.byteLength),
        { name: 'encode', run: () => encoding.encode(request, {}) },
        {
          name: 'decode',
          run: () => {
            const decoder = encoding.createDecoder({ ...request, fragments: payloads.length, norm }, {});
            for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
            decoder.reconstruct(target);
          },
        },
      ]);
    }
  }
}

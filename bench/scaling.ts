import { HctReader } from '../readers/hctReader.js';
import { HoloTensorReader } from '../readers/holotensorReader.js';
import { HctWriter } from '../sinks/hct.js';
import { memorySink } from '../sinks/memory.js';
import { bytesSource } from '../sources/bytes.js';
import { ENCODINGS } from '../src/encodings/encodings.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { packHoloTensor } from '../src/holotensor/pack.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { WorkerPool } from '../workers/pool.js';
import { family } from './family.js';
import type { BenchCase } from './harness.js';

/** log2 of numbers of elements: three decades. */
const SIZES = [14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24];
/** The size at which the other things vary. */
const SIZE = 20;
const BLOCK_SIZES = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
const FRAGMENT_COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const FRAGMENTS = 8;
const NAMES = ['spectral', 'random-projection', 'embedded'] as const;
const TENSORS = 4;
const TENSOR_SIZES = [16, 18, 20, 22];

const kernels = await loadKernels();
const rng = new SeededRng(3n);
const numbers = Float32Array.from({ length: 2 ** SIZES.at(-1)! }, () => 0.02 * rng.nextNormal());
const weights = new Uint8Array(kernels.float32ToBfloat16(numbers).buffer);
const out = new Float32Array(numbers.length).fill(1);

/**
 * How times grow with sizes, block sizes, numbers of fragments and of workers. Behind each family stands how far its times
 * an element are apart: they should stay within a factor of two beyond the steps of the caches.
 */
export async function run(): Promise<void> {
  await family('DCT, 2^', SIZES, (size) => [
    {
      name: 'wasm',
      run: () => kernels.dct2d(numbers.subarray(0, 2 ** size), ...sides(size), out.subarray(0, 2 ** size)),
    },
  ]);
  for (const name of NAMES) await family(`${name}, 2^`, SIZES, (size) => coding(name, size, FRAGMENTS));
  const fixed = () => 2 ** SIZE;
  await family('HCT lz4, 2^', SIZES, (size) => hct(size), { bytes: 2 });
  await family('HCT lz4, blocks of 2^', BLOCK_SIZES, (size) => hct(SIZE, size), { count: fixed, bytes: 2 });
  await family('kernels, blocks of 2^', BLOCK_SIZES, blocks, { bytes: 1 });
  for (const name of NAMES) {
    await family(`${name}, fragments: `, FRAGMENT_COUNTS, (count) => coding(name, SIZE, count), {
      count: fixed,
    });
  }
  const url = new URL('../test/helpers/workerFromSource.mjs', import.meta.url);
  const pools = [1, 2].map((size) => new WorkerPool(size, { url }));
  const inPools = (size: number) => inWorkers(pools, size);
  const count = (size: number) => TENSORS * 2 ** size;
  await family(`${TENSORS} tensors in workers, 2^`, TENSOR_SIZES, inPools, { count });
  for (const pool of pools) pool.close();
}

/** As square as it gets. */
function sides(size: number): [rows: number, cols: number] {
  return [2 ** Math.floor(size / 2), 2 ** Math.ceil(size / 2)];
}

function coding(name: (typeof NAMES)[number], size: number, fragments: number): BenchCase[] {
  const [rows, cols] = sides(size);
  const [data, target] = [numbers.subarray(0, rows * cols), out.subarray(0, rows * cols)];
  const tensor = { dtype: 'F32', shape: [rows, cols], data } as const;
  const request = { tensor, rows, cols, dtype: 'F32', fragments, seed: 1n, kernels } as const;
  const encode = () => ENCODINGS[name].encode(request, {});
  const { payloads, norm } = encode();
  const decode = () => {
    const decoder = ENCODINGS[name].createDecoder({ ...request, fragments: payloads.length, norm }, {});
    for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
    decoder.reconstruct(target);
  };
  return [
    { name: 'encode', run: encode },
    { name: 'decode', run: decode },
  ];
}

/** A file of bfloat16. */
async function hct(size: number, blockSize = 14): Promise<BenchCase[]> {
  const data = weights.subarray(0, 2 * 2 ** size);
  const encode = async () => {
    const sink = memorySink();
    const options = {
      dtype: 'BF16',
      shape: [2 ** size],
      algorithm: 'lz4',
      blockSize: 2 ** blockSize,
    } as const;
    const writer = new HctWriter(sink, options);
    await writer.write(data);
    await writer.close();
    return sink.bytes;
  };
  const reader = await HctReader.open(bytesSource(await encode()));
  return [
    { name: 'encode', run: encode },
    { name: 'decode', run: () => reader.readAll() },
  ];
}

function blocks(size: number): BenchCase[] {
  const block = weights.subarray(0, 2 ** size);
  const packed = kernels.lz4Compress(block);
  const unpacked = new Uint8Array(block.length);
  return [
    { name: 'XXH3', run: () => kernels.xxh3(block) },
    { name: 'LZ4 decode', run: () => kernels.lz4DecompressInto(packed, unpacked) },
    { name: 'LZ4 encode', run: () => kernels.lz4Compress(block) },
  ];
}

function inWorkers(pools: readonly WorkerPool[], size: number): BenchCase[] {
  const { header, fragments } = new HoloTensorEncoder('embedded', { kernels }).encode(
    numbers.subarray(0, 2 ** size),
    sides(size),
  );
  const file = new Uint8Array(Buffer.concat(packHoloTensor(header, fragments, { kernels })));
  const targets = Array.from({ length: TENSORS }, () => new Float32Array(2 ** size));
  return pools.map((workers, i) => ({
    name: `${i + 1} worker${i === 0 ? '' : 's'}`,
    run: () =>
      Promise.all(
        targets.map(async (out) =>
          (await HoloTensorReader.open(bytesSource(file), { workers })).readAll({ out }),
        ),
      ),
    baseline: i === 0,
  }));
}

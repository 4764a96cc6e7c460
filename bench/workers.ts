import { HoloTensorReader, type HoloTensorReadOptions } from '../readers/holotensorReader.js';
import { bytesSource } from '../sources/bytes.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { packHoloTensor } from '../src/holotensor/pack.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { float32ToBfloat16 } from '../src/tensor/float.js';
import { WorkerPool } from '../workers/pool.js';
import { type BenchResult, compare, warmCopy } from './harness.js';
import { PlainThreads } from './plainThreads.js';

const TENSORS = 8;
const SIDE = 1024;
const BYTES = TENSORS * SIDE * SIDE * Float32Array.BYTES_PER_ELEMENT;
const LARGE_SIDE = 4096;

/** The cores' clocks and neighbours change: enough rounds that one moment does not decide. */
const BUDGET_MS = 6000;

/**
 * A model of eight tensors decoded whole, by this thread and by workers: into arrays that are reused, into shared memory,
 * and into new arrays, whose pages the system must find and V8 collect again. Plain threads show what two of them can
 * gain on this machine at this time. The copy is of the decoded f32. Then one large tensor.
 */
export async function run(): Promise<void> {
  const url = new URL('../test/helpers/workerFromSource.mjs', import.meta.url);
  const [one, two] = [1, 2].map((size) => new WorkerPool(size, { url }));
  const arrays = Array.from({ length: TENSORS }, () => new Float32Array(SIDE * SIDE));
  const shared = arrays.map(({ byteLength }) => new Float32Array(new SharedArrayBuffer(byteLength)));
  for (const encoding of ['embedded', 'spectral'] as const) {
    const file = await encodedFile(encoding, SIDE);
    const threads = new PlainThreads(file, SIDE * SIDE);
    const decode = (workers?: WorkerPool, outs: readonly Float32Array[] = []) =>
      Promise.all(
        Array.from({ length: TENSORS }, async (_, i) => {
          const reader = await HoloTensorReader.open(bytesSource(file), { workers });
          await reader.readAll({ out: outs[i] });
        }),
      );
    const results = await compare(
      `${TENSORS} × ${SIDE}², ${encoding}`,
      BYTES,
      [
        warmCopy(BYTES),
        { name: 'no worker', run: () => decode(undefined, arrays) },
        { name: 'one worker', run: () => decode(one, arrays), baseline: true },
        { name: 'two workers', run: () => decode(two, arrays) },
        { name: 'one plain thread', run: () => threads.decode(TENSORS, 1) },
        { name: 'two plain threads', run: () => threads.decode(TENSORS, 2) },
        { name: 'one worker, shared', run: () => decode(one, shared) },
        { name: 'two workers, shared', run: () => decode(two, shared) },
        { name: 'no worker, new', run: () => decode() },
        { name: 'one worker, new', run: () => decode(one) },
        { name: 'two workers, new', run: () => decode(two) },
      ],
      BUDGET_MS,
    );
    const gains = ['workers', 'workers, shared', 'workers, new', 'plain threads'].map(
      (what) => `${gain(results, what).toFixed(2)} (${what})`,
    );
    console.log(`  two against one: ${gains.join(', ')}`);
    await threads.close();
  }
  await runLarge(one!, two!);
  for (const pool of [one, two]) pool!.close();
}

/** One tensor, whose tiles two workers share. */
async function runLarge(one: WorkerPool, two: WorkerPool): Promise<void> {
  const bytes = LARGE_SIDE * LARGE_SIDE * Float32Array.BYTES_PER_ELEMENT;
  const file = await encodedFile('embedded', LARGE_SIDE);
  const array = new Float32Array(LARGE_SIDE * LARGE_SIDE);
  const shared = new Float32Array(new SharedArrayBuffer(bytes));
  const decode = async (workers?: WorkerPool, options: HoloTensorReadOptions = {}) => {
    const reader = await HoloTensorReader.open(bytesSource(file), { workers });
    await reader.readAll(options);
  };
  const outputs = {
    '': { out: array },
    ', shared': { out: shared },
    ', new': {},
    ', BF16': { dtype: 'source' },
  } as const;
  const results = await compare(
    `${LARGE_SIDE}², embedded`,
    bytes,
    [
      warmCopy(bytes),
      ...Object.entries(outputs).flatMap(([what, options]) => [
        { name: `no worker${what}`, run: () => decode(undefined, options) },
        { name: `one worker${what}`, run: () => decode(one, options), baseline: what === '' },
        { name: `two workers${what}`, run: () => decode(two, options) },
      ]),
    ],
    BUDGET_MS,
  );
  const gains = Object.keys(outputs).map(
    (what) => `${gain(results, `workers${what}`).toFixed(2)} (workers${what})`,
  );
  console.log(`  two against one: ${gains.join(', ')}`);
}

/** How many times faster two of something are than one. */
function gain(results: readonly BenchResult[], what: string): number {
  const time = (name: string) => results.find((result) => result.name === name)!.ms;
  return time(`one ${what.replace(/s(?=,|$)/, '')}`) / time(`two ${what}`);
}

async function encodedFile(encoding: 'embedded' | 'spectral', side: number): Promise<Uint8Array> {
  const kernels = await loadKernels();
  const rng = new SeededRng(7n);
  const numbers = Float32Array.from({ length: side * side }, () => 0.02 * rng.nextNormal());
  const { header, fragments } = new HoloTensorEncoder(encoding, { kernels }).encodeTensor({
    dtype: 'BF16',
    shape: [side, side],
    data: float32ToBfloat16(numbers),
  });
  return new Uint8Array(Buffer.concat(packHoloTensor(header, fragments, { kernels })));
}

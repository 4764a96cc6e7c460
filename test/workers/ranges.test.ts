import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HoloTensorReader, type HoloTensorReadOptions } from '../../readers/holotensorReader.js';
import { reconstructInWorkers } from '../../readers/reconstructInWorkers.js';
import { bytesSource } from '../../sources/bytes.js';
import { ChecksumError, type HolostreamError, LimitError } from '../../src/errors.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import type { StoredTensor } from '../../src/holotensor/tasks.js';
import { SeededRng } from '../../src/kernels/gaussian/rng.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { DType } from '../../src/tensor/dtype.js';
import { fromFloat32 } from '../../src/tensor/numbers.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { isolated } from '../helpers/isolated.js';
import { noise } from '../helpers/random.js';

/** Keeps what tasks were given. */
class WatchedPool extends WorkerPool {
  readonly inputs: StoredTensor[] = [];
  readonly signals: (AbortSignal | undefined)[] = [];
  onTask = (_tasks: number): void => {};

  override runPrepared: WorkerPool['runPrepared'] = (task, prepare, options = {}) =>
    super.runPrepared(
      task,
      (buffers) => {
        const prepared = prepare(buffers);
        this.inputs.push(prepared.input as StoredTensor);
        this.signals.push(options.signal);
        this.onTask(this.inputs.length);
        return prepared;
      },
      options,
    );
}

const pool = new WatchedPool(4, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
test.before.each(() => {
  pool.onTask = () => {};
  pool.inputs.length = 0;
  pool.signals.length = 0;
});
test.after(() => pool.close());

const kernels = await loadKernels();

const TILE = 2 ** 16;
/** Fewer whole tiles than workers, the last one shorter. */
const COUNT = 4 * TILE - 1234;

function encodedFile(dtype: DType, values: Float32Array): Uint8Array<ArrayBuffer> {
  const tensor = { dtype, shape: [values.length], data: fromFloat32(dtype, values) };
  const { header, fragments } = new HoloTensorEncoder('embedded', { kernels }).encodeTensor(tensor);
  return concatBytes(packHoloTensor(header, fragments, { kernels }));
}

/** By several workers, although the tensor is small. */
async function inParts(
  file: Uint8Array,
  { kernels: _, ...options }: HoloTensorReadOptions & StoredTensor['options'] = {},
): Promise<Reconstruction> {
  const { header, entries, dataStart } = await HoloTensorReader.open(bytesSource(file));
  return reconstructInWorkers(pool, { header, entries, data: file.subarray(dataStart) }, options, TILE);
}

async function inThisThread(file: Uint8Array, options: HoloTensorReadOptions & StoredTensor['options'] = {}) {
  return (await HoloTensorReader.open(bytesSource(file), options)).readAll(options);
}

function assertSame(actual: Reconstruction, expected: Reconstruction): void {
  assert.equal({ ...actual, data: 0 }, { ...expected, data: 0 });
  assert.is(actual.data.constructor, expected.data.constructor);
  assert.ok(Buffer.from(viewBytes(actual.data)).equals(viewBytes(expected.data)));
}

for (const dtype of ['BF16', 'F32', 'F16', 'I8', 'I4'] satisfies DType[]) {
  test(`${dtype}: in parts as in one`, async () => {
    const values = noise(COUNT, 5).map((value) => (dtype.startsWith('I') ? Math.round(3 * value) : value));
    const file = encodedFile(dtype, values);
    const before = file.slice();
    const [numbers, elements] = [await inThisThread(file), await inThisThread(file, { dtype: 'source' })];
    for (const shared of [true, false]) {
      await isolated(shared, async () => {
        assertSame(await inParts(file), numbers);
        assertSame(await inParts(file, { dtype: 'source' }), elements);
        for (const memory of [ArrayBuffer, SharedArrayBuffer]) {
          const out = new Float32Array(new memory(4 * COUNT + 8), 4, COUNT).fill(7);
          const filled = await inParts(file, { out });
          assert.is(filled.data, out);
          assertSame(filled, numbers);
        }
      });
    }
    assert.equal(
      pool.inputs.slice(0, 3).map(({ options }) => options.range),
      [
        { start: 0, end: TILE },
        { start: TILE, end: 2 * TILE },
        { start: 2 * TILE, end: COUNT },
      ],
    );
    assert.is(pool.inputs.length, 24);
    assert.equal(file, before);
  });
}

test('bytes from anywhere, across tiles, by this thread or by workers', async () => {
  for (const dtype of ['BF16', 'I4'] satisfies DType[]) {
    const file = encodedFile(dtype, noise(COUNT, 6).map(Math.round));
    const elements = viewBytes((await inThisThread(file, { dtype: 'source' })).data);
    const tile = (elements.length / COUNT) * TILE;
    for (const reader of [
      await HoloTensorReader.open(bytesSource(file)),
      await HoloTensorReader.open(bytesSource(file), { workers: pool }),
    ]) {
      for (const [start, end] of [
        [0, elements.length],
        [tile, 2 * tile],
        [tile - 1, tile + 1],
        [3 * tile + 5, elements.length],
        [1, elements.length - 1],
      ] as const) {
        const out = new Uint8Array(end - start);
        await reader.readInto(out, start);
        assert.ok(Buffer.from(out).equals(elements.subarray(start, end)), `${dtype}, ${start} to ${end}`);
      }
    }
  }
  assert.ok(pool.inputs.length > 0);
});

test('a reader cuts what is large, and only what it can', async () => {
  const values = noise(2 ** 22 + 100, 3);
  const read = async (file: Uint8Array, options: HoloTensorReadOptions) =>
    (await HoloTensorReader.open(bytesSource(file), { workers: pool })).readAll(options);
  const file = encodedFile('BF16', values);
  const expected = await inThisThread(file);
  assertSame(await read(file, { out: new Float32Array(values.length) }), expected);
  assert.is(pool.inputs.length, 2);
  assertSame(await read(file, {}), expected);
  assert.is(pool.inputs.length, 3);
  const spectral = new HoloTensorEncoder('spectral', { kernels }).encode(
    values.slice(0, 2 ** 16),
    [256, 256],
  );
  const other = concatBytes(packHoloTensor(spectral.header, spectral.fragments, { kernels }));
  assertSame(await inParts(other), await inThisThread(other));
  assert.is(pool.inputs.length, 4);
});

test('what is wrong is what one thread finds wrong', async () => {
  const sound = encodedFile('BF16', noise(COUNT, 5));
  const { entries, dataStart } = await HoloTensorReader.open(bytesSource(sound));
  const rng = new SeededRng(1n);
  const messages = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const file = sound.slice();
    // Beyond the lengths of units; of two, another worker may find the second sooner.
    for (let faults = 1 + (i % 2); faults > 0; faults--) {
      const { offset, compressedSize } = entries[Math.floor(rng.nextF32() * entries.length)]!;
      file[dataStart + offset + 60 + Math.floor(rng.nextF32() * (compressedSize - 60))]! ^= 255;
    }
    const outcomes = await Promise.allSettled(
      [inThisThread, inParts].map((read) => read(file, { verify: false })),
    );
    const [here, there] = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as HolostreamError),
    );
    if (here instanceof Error && there instanceof Error) {
      assert.instance(there, here.constructor);
      assert.is(there.message, here.message);
      assert.equal({ ...there, cause: 0 }, { ...here, cause: 0 });
      messages.add(here.message);
    } else assertSame(there as Reconstruction, here as Reconstruction);
  }
  assert.ok(messages.size > 5, `${messages.size}`);
});

test('a part that fails ends the others', async () => {
  const file = encodedFile('BF16', noise(COUNT, 5));
  file[file.length - 1]! ^= 1;
  const error = await rejects(inParts(file), ChecksumError);
  assert.is(error.fragmentIndex, 7);
  assert.ok(pool.signals.slice(0, 3).every((signal) => signal?.aborted));
  await rejects(inParts(file, { limits: { tensorBytes: 1000 } }), LimitError);
});

test('an abort ends all parts, and the pool has its memory back', async () => {
  const file = encodedFile('BF16', noise(COUNT, 5));
  const reason = new RangeError('enough');
  const controller = new AbortController();
  // Right after the last part is posted, before a response to it can arrive.
  pool.onTask = (tasks) => tasks === 3 && queueMicrotask(() => controller.abort(reason));
  const read = inParts(file, { signal: controller.signal });
  assert.is(await read.catch((error: unknown) => error), reason);
  const { buffer } = pool.inputs[0]!.fragments[0]!.stored;
  const isBack = () => {
    const taken = Array.from({ length: 16 }, () => pool.buffers.take(buffer.byteLength).buffer);
    pool.buffers.give(taken);
    return taken.includes(buffer);
  };
  while (!isBack()) await new Promise((resolve) => setTimeout(resolve, 1));
  assertSame(await inParts(file), await inThisThread(file));
});

test.run();

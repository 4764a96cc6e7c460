import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../../models/file/decodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, ChecksumError } from '../../../src/errors.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { WorkerPool } from '../../../workers/pool.js';
import { rejects } from '../../helpers/assertions.js';
import { encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { trainedLike } from '../../helpers/trained.js';

const test = suite('model files in workers');

const pool = new WorkerPool(2, { url: new URL('../../helpers/workerFromSource.mjs', import.meta.url) });
test.after(() => pool.close());

const SHAPES = [[300, 320], [500], [7, 8, 9, 10, 16], [64, 32], [400, 200], [256, 256], [20]];

/** Large and small tensors, so that some are encoded in workers and some are not. */
const model = modelOf(
  SHAPES.map((shape, i) => ({ name: `w${i}`, dtype: 'F32', shape })),
  undefined,
  ({ shape }, _, i) => viewBytes(trainedLike([shape[0]!, shape.slice(1).reduce((a, b) => a * b, 1)], i + 1)),
);

async function decoded(file: Uint8Array, workers: number | WorkerPool, signal?: AbortSignal) {
  const sink = memorySink();
  const done: number[] = [];
  const onProgress = (bytes: number) => done.push(bytes);
  await decodeModelFile(bytesSource(file), async () => sink, { workers, onProgress, signal });
  return { bytes: sink.bytes, done };
}

test('memory of a tensor is used again only when its bytes have been written', async () => {
  const same = modelOf(
    Array.from({ length: 8 }, (_, i) => ({ name: `w${i}`, dtype: 'F32', shape: [300, 400] })),
    undefined,
    ({ shape }, _, i) => viewBytes(trainedLike([shape[0]!, shape[1]!], i + 1)),
  );
  const file = await modelFileOf(same, { workers: pool });
  const sink = memorySink();
  let writes = 0;
  const slow = {
    ...sink,
    // As a disk does: it reads the bytes some time later, meanwhile others are decoded.
    async write(bytes: Uint8Array, position: number) {
      writes += 1;
      await new Promise((resolve) => setTimeout(resolve, writes % 2 === 0 ? 0 : 500));
      await sink.write(bytes, position);
    },
  };
  await decodeModelFile(bytesSource(file), async () => slow, { workers: pool });
  assert.ok(Buffer.from(sink.bytes).equals(same));
});

for (const encoding of ['embedded', 'spectral'] as const) {
  test(`${encoding}: the file is the same with and without workers, and so is what it decodes to`, async () => {
    const encode = { encoding };
    const alone = await modelFileOf(model, { encode });
    const done: number[] = [];
    const file = await modelFileOf(model, {
      encode,
      workers: pool,
      onProgress: (bytes, total) => {
        assert.ok(bytes > (done.at(-1) ?? 0) && bytes <= total);
        done.push(bytes);
      },
    });
    assert.ok(Buffer.from(file).equals(alone));
    assert.is(done.length, SHAPES.length);
    const [one, many] = [await decoded(file, 0), await decoded(file, pool)];
    assert.ok(Buffer.from(many.bytes).equals(one.bytes));
    assert.is(many.done.at(-1), one.done.at(-1));
    if (encoding === 'embedded') assert.ok(Buffer.from(many.bytes).equals(model));
  });
}

for (const encoding of ['embedded', 'spectral'] as const) {
  test(`${encoding}: a tensor of several parts is decoded as a whole one is`, async () => {
    // The last part is short, and a small tensor follows.
    const large = modelOf(
      [[4100, 1024], [300]].map((shape, i) => ({ name: `w${i}`, dtype: 'F32', shape })),
      undefined,
      ({ shape: [rows, cols = 1] }) => viewBytes(trainedLike([rows!, cols])),
    );
    const file = await modelFileOf(large, { encode: { encoding, fragments: 4 }, workers: pool });
    const model = await openModel(bytesSource(file));
    const { data } = (await model.load()).get('w0')!;
    await model.close();
    for (const workers of [0, pool]) {
      const { bytes, done } = await decoded(file, workers);
      assert.is(bytes.length, large.length);
      assert.ok(Buffer.from(bytes).includes(Buffer.from(viewBytes(data as Float32Array))));
      assert.is(done.at(-1), 4 * (4100 * 1024 + 300));
    }
  });
}

test('what a worker refuses is refused as without it, and nothing is left under way', async () => {
  const values = trainedLike([300, 400]);
  values[77] = Number.NaN;
  const damaged = modelOf([{ name: 'w', dtype: 'F32', shape: [300, 400] }], undefined, () =>
    viewBytes(values),
  );
  const encode = { encoding: 'spectral' } as const;
  const [alone, inWorker] = await Promise.all(
    [0, pool].map((workers) =>
      modelFileOf(damaged, { encode, workers }).then(
        () => assert.unreachable(),
        (error: ArgumentError) => [error.constructor, error.message],
      ),
    ),
  );
  assert.equal(inWorker, alone);
  assert.is(inWorker![0], ArgumentError);

  const file = await modelFileOf(model, { workers: pool });
  file[file.length - 1_000]! ^= 1;
  await rejects(decoded(file, pool), ChecksumError);
});

test('an abort ends encoding and decoding, and the store keeps what was encoded', async () => {
  const aborter = new AbortController();
  const staging = memoryStagingStore();
  const created: string[] = [];
  const counting = {
    open: staging.open,
    create: (name: string) => {
      if (created.push(name) === 2) aborter.abort(new RangeError('enough'));
      return staging.create(name);
    },
  };
  const files = { 'model.safetensors': model };
  await rejects(
    encodeToModelFile(files, { workers: pool, signal: aborter.signal }, counting),
    RangeError,
    /enough/,
  );
  // Those of two that were under way may have begun to be written.
  assert.ok(created.length < 5);
  const file = await encodeToModelFile(files, { workers: pool }, counting);
  assert.is(new Set(created).size, SHAPES.length - 2, 'one is too small to be cut, one for the store');
  assert.ok(created.length < 2 * new Set(created).size, 'some were found');
  assert.ok(Buffer.from(file).equals(await modelFileOf(model)));
  await rejects(decoded(file, pool, AbortSignal.abort(new RangeError('before'))), RangeError, /before/);
});

test.run();

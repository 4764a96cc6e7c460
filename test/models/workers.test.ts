import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { openModelFile } from '../../models/inputs/modelFile.js';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import type { LoadedTensor, OutputType } from '../../models/output.js';
import type { ModelSnapshot } from '../../models/takeSnapshots.js';
import { TensorState } from '../../models/tensorState.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { Budget, limitsOf } from '../../src/checks/limits.js';
import { WorkerError } from '../../src/errors.js';
import type { ByteRangeOptions } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import type { TaskSession } from '../../workers/task.js';
import type { Tasks } from '../../workers/worker.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';
import { cosineSimilarity } from '../helpers/encodings.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { casesOf } from '../helpers/runs.js';
import { tick, until } from '../helpers/streams.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('loads with workers');

/** All but the last are decoded in workers. */
const SHAPES = [
  [300, 320],
  [7, 8, 9, 10, 16],
  [400, 200],
  [256, 300],
  [64, 32],
];
const IN_WORKERS = SHAPES.slice(0, -1).map((_, i) => `w${i}`);

const values = SHAPES.map(([rows, ...rest], i) =>
  trainedLike([rows!, rest.reduce((a, b) => a * b, 1)], i + 1),
);
const original = modelOf(
  SHAPES.map((shape, i) => ({ name: `w${i}`, dtype: 'F32', shape })),
  undefined,
  (_, __, i) => viewBytes(values[i]!),
);
const valuesOf = (name: string) => values[Number(name.slice(1))]!;

const scripts = temporaryFolder();
const script = join(scripts, 'worker.mjs');
let file: Uint8Array;

test.before(async () => {
  file = await modelFileOf(original);
  const entry = fileURLToPath(new URL('../../workers/worker.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', format: 'esm' });
});

/** A pool that counts the tensors that its workers have. */
class CountingPool extends WorkerPool {
  readonly open = new Set<object>();
  opened = 0;

  override openSession(weight?: number): TaskSession<Tasks> {
    const session = super.openSession(weight);
    const { close } = session;
    this.open.add(session);
    this.opened += 1;
    session.close = () => {
      this.open.delete(session);
      close();
    };
    return session;
  }
}

async function withPool(
  work: (pool: CountingPool) => Promise<void>,
  url: string | URL = pathToFileURL(script),
): Promise<void> {
  const pool = new CountingPool(2, { url });
  try {
    await work(pool);
  } finally {
    pool.close();
  }
}

function isExact(loaded: ReadonlyMap<string, LoadedTensor<OutputType>>, size = SHAPES.length): void {
  assert.is(loaded.size, size);
  for (const [name, { data, complete }] of loaded) {
    assert.ok(complete, name);
    assert.ok(Buffer.from(viewBytes(data as Float32Array)).equals(viewBytes(valuesOf(name))), name);
  }
}

/** Each tensor has the quality that it says. */
function isTrue({ name, data, cosine }: LoadedTensor<OutputType>): void {
  const truth = cosineSimilarity(data as Float32Array, valuesOf(name));
  assert.ok(Math.abs(cosine - truth) < 1e-4, `${name}: ${cosine} for ${truth}`);
}

test('tensors get better while the model loads, and are as good as they say', () =>
  withPool(async (pool) => {
    const updates = new Map<string, number[]>();
    const given = until(() => [...updates.values()].some(([first]) => first! < 1));
    await using model = await openModel({
      ...bytesSource(file),
      stream: (range) => haltingStream(range, given),
    });
    const qualities = new Map<string, Set<number>>();
    model.updates$.subscribe((tensor) => {
      isTrue(tensor);
      updates.set(tensor.name, [...(updates.get(tensor.name) ?? []), tensor.cosine]);
    });
    model.progress$.subscribe((progress) => {
      for (const [name, quality] of progress.qualities)
        qualities.set(name, (qualities.get(name) ?? new Set()).add(quality));
    });
    isExact(await model.load({ workers: pool }));
    assert.is(pool.opened, IN_WORKERS.length);
    assert.is(pool.open.size, 0, 'workers forget what is complete');
    for (const name of IN_WORKERS) {
      // Nothing, several fragments, everything.
      assert.ok(qualities.get(name)!.size > 3, `${name}: ${[...qualities.get(name)!]}`);
      const cosines = updates.get(name)!;
      assert.is(cosines.at(-1), 1);
      assert.equal(
        cosines,
        cosines.toSorted((a, b) => a - b),
      );
    }
  }));

/** Half of the bytes, and the others when `goesOn` resolves. */
function haltingStream({ start = 0, end = file.length }: ByteRangeOptions = {}, goesOn: Promise<unknown>) {
  const half = (start + end) >> 1;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(file.slice(start, half)),
    async pull(controller) {
      await goesOn;
      controller.enqueue(file.slice(half, end));
      controller.close();
    },
  });
}

test('snapshots while workers decode are all tensors, as good as they say', () =>
  withPool(async (pool) => {
    await using model = await openModel(file);
    let count = 0;
    let seen = 0;
    const loading = loadInSteps(model, pool, () => seen);
    for await (const { tensors, complete, quality } of model.snapshots()) {
      count += 1;
      seen = quality;
      assert.is(tensors.size, SHAPES.length);
      for (const tensor of tensors.values()) isTrue(tensor);
      if (complete) isExact(tensors);
    }
    await loading;
    assert.ok(count > 2, `${count}`);
  }));

/** Each step waits for a consumer to have what came before; `seen` is the quality of its last snapshot. */
async function loadInSteps(model: Model, pool: WorkerPool, seen: () => number): Promise<void> {
  for (const quality of [0.5, 0.8, 0.9, 0.97, 0.99, 1]) {
    await model.load({ quality, workers: pool });
    await until(() => seen() > model.quality - 1e-12);
  }
}

test('any quality in any type, with memory of the caller’s, is that without workers', () =>
  withPool(async (pool) => {
    for (const as of ['F32', 'BF16', 'source'] as const) {
      for (const shared of [undefined, false, true]) {
        const out = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) => {
          if (shared === undefined) return undefined;
          const length = shape.reduce((a, b) => a * b, 1) * (dtype === 'BF16' ? 2 : 4);
          const buffer = shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
          return dtype === 'BF16' ? new Uint16Array(buffer) : new Float32Array(buffer);
        };
        await using plain = await openModel(file);
        await using model = await openModel(file);
        const expected = await plain.load({ quality: 0.97, as });
        const loaded = await model.load({ quality: 0.97, as, out, workers: pool });
        assert.equal([...loaded.keys()], [...expected.keys()]);
        for (const [name, { data, cosine }] of expected) {
          const other = loaded.get(name)!;
          assert.is(other.cosine, cosine);
          assert.ok(
            Buffer.from(viewBytes(other.data as Float32Array)).equals(viewBytes(data as Float32Array)),
          );
        }
        assert.ok(pool.open.size > 0);
      }
    }
    assert.is(pool.open.size, 0, 'models that are closed give back what workers hold for them');
  }));

test('a load that ends because the model is closed gives what is complete at once, and workers keep nothing', () =>
  withPool(async (pool) => {
    const model = await openModel(file);
    const loading = model.load({
      workers: pool,
      onProgress: ({ quality }) => quality > 0.9 && void model.close(),
    });
    for (const tensor of (await loading).values()) {
      assert.ok(tensor.complete);
      isTrue(tensor);
    }
    await model.close();
    assert.is(pool.open.size, 0);
  }));

for (const [how, moments] of [
  ['request', [0, 3, 9, 15]],
  ['reply', [2, 12]],
  ['throw', [7]],
] as const) {
  for (const at of casesOf<number>(moments)) {
    test(`a worker that dies at ${how} ${at}: its tensors are decoded again elsewhere`, () => {
      const once = join(scripts, `${how}${at}`);
      process.env.DEATH = JSON.stringify({ script: pathToFileURL(script).href, at, how, once });
      return withPool(
        async (pool) => {
          await using model = await openModel(file);
          const progress: number[] = [];
          model.progress$.subscribe(({ quality }) => progress.push(quality));
          isExact(await model.load({ workers: pool }));
          assert.is(model.quality, 1);
          assert.ok(pool.opened > IN_WORKERS.length, 'some were begun anew');
          assert.ok(progress.every((quality) => quality <= 1));
        },
        new URL('../faults/helpers/dyingWorker.mjs', import.meta.url),
      );
    });
  }
}

for (const [how, at] of casesOf([
  ['request', 7],
  ['request', 16],
  ['reply', 8],
  ['reply', 12],
] as const)) {
  test(`a worker that dies at ${how} ${at}, while one load reads, another runs, and snapshots are taken`, () => {
    const once = join(scripts, `both-${how}${at}`);
    process.env.DEATH = JSON.stringify({ script: pathToFileURL(script).href, at, how, once });
    return withPool(
      async (pool) => {
        await using model = await openModel(file);
        const [first, second, snapshot] = await Promise.all([
          model.load({ quality: 0.9, workers: pool }),
          model.load({ workers: pool }),
          lastSnapshot(model),
        ]);
        assert.is(first.size, SHAPES.length);
        for (const tensor of first.values()) isTrue(tensor);
        isExact(second);
        isExact(snapshot!.tensors);
      },
      new URL('../faults/helpers/dyingWorker.mjs', import.meta.url),
    );
  });
}

for (const at of casesOf([12, 16, 20])) {
  test(`a worker that dies at request ${at}, while a load without workers goes on from one with them`, () => {
    const once = join(scripts, `without-${at}`);
    process.env.DEATH = JSON.stringify({ script: pathToFileURL(script).href, at, how: 'request', once });
    return withPool(
      async (pool) => {
        await using model = await openModel(file);
        await model.load({ quality: 0.9, workers: pool });
        isExact(await model.load());
      },
      new URL('../faults/helpers/dyingWorker.mjs', import.meta.url),
    );
  });
}

test('snapshots of what was lost with its workers, while no load runs: it is loaded again, and nothing else', () =>
  withPool(async (pool) => {
    await using model = await openModel(file);
    await model.load({ quality: 0.9, workers: pool });
    const { quality } = model;
    pool.close();
    const [{ value: first }, { value: second }] = await Promise.all([
      model.snapshots().next(),
      model.snapshots().next(),
    ]);
    for (const snapshot of [first!, second!]) {
      assert.is(snapshot.tensors.size, SHAPES.length);
      for (const tensor of snapshot.tensors.values()) isTrue(tensor);
    }
    assert.ok(Math.abs(model.quality - quality) < 1e-12, 'but for the rounding of sums');
    isExact(await model.load());
  }));

async function lastSnapshot(model: Model) {
  let last: ModelSnapshot | undefined;
  for await (const snapshot of model.snapshots({ minGain: 0.0001 })) last = snapshot;
  return last;
}

test('a model that is closed while a snapshot waits for a worker that never answers', async () => {
  const silent = new WorkerPool(1, { url: new URL('../helpers/silentWorker.mjs', import.meta.url) });
  const model = await openModel(file);
  let ready = 0;
  model.progress$.subscribe((progress) => (ready = progress.ready));
  const loading = model.load({ workers: silent });
  const snapshots = model.snapshots().next();
  await until(() => ready === 1);
  await model.close();
  assert.is((await loading).size, 1, 'the one that needs no worker');
  assert.ok((await snapshots).done);
  silent.close();
});

/** Aborts when a tensor has sent this many steps to its worker, before the next. */
function stoppingPool(pool: WorkerPool, steps: number, stop: AbortController): WorkerPool {
  let left = steps;
  const openSession = () => {
    const session = pool.openSession();
    const { runPrepared } = session;
    session.runPrepared = (...args) => {
      if (left-- === 0) stop.abort(new RangeError('enough'));
      return runPrepared(...args);
    };
    return session;
  };
  return Object.create(pool, { openSession: { value: openSession } });
}

test('a tensor whose last array was aborted is complete once it is settled, and takes no piece again', () =>
  withPool(async (pool) => {
    const { tensors } = await openModelFile(bytesSource(file), {});
    const tensor = tensors.find(({ name }) => name === 'w0')!;
    const last = tensor.pieces.length - 1;
    const stop = new AbortController();
    const state = new TensorState(tensor);
    const budget = new Budget(limitsOf());
    const add = (i: number, options: { pool?: WorkerPool; signal?: AbortSignal }) => {
      const { offset, length } = tensor.pieces[i]!;
      return state.add(i, file.slice(offset, offset + length), { pool: undefined, budget, ...options });
    };
    // The header takes no step.
    const options = { pool: stoppingPool(pool, last, stop), signal: stop.signal };
    for (let i = 0; i < last; i++) await add(i, options);
    await rejects(Promise.resolve(add(last, options)), RangeError, /enough/);
    await state.settle({});
    assert.ok(state.complete);
    assert.ok(state.has(last));
    // Of a load that was planned before.
    await add(last, { pool });
    isExact(new Map([['w0', (await state.read({}))!]]), 1);
  }));

test('fragments that waited to be paid for, when the load is aborted: they come again', () =>
  withPool(async (pool) => {
    const { tensors } = await openModelFile(bytesSource(file), {});
    const tensor = tensors.find(({ name }) => name === 'w0')!;
    for (let steps = 0; steps < 4; steps++) {
      const stop = new AbortController();
      const state = new TensorState(tensor);
      const budget = new Budget(limitsOf({ limits: { ratio: 2 } }));
      budget.spend({ bytes: budget.most - 2, steps: 0 });
      const addAll = async (signal?: AbortSignal) => {
        for (const [i, { offset, length }] of tensor.pieces.entries()) {
          if (state.has(i)) continue;
          await state.add(i, file.slice(offset, offset + length), { pool: stopping, budget, signal });
        }
      };
      // The worker is busy with others: what is sent there is aborted before its turn.
      const stopping = stoppingPool(pool, steps, stop);
      await rejects(addAll(stop.signal), RangeError, /enough/);
      assert.ok(state.forgetLost());
      await addAll();
      await state.settle({});
      isExact(new Map([['w0', (await state.read({}))!]]), 1);
    }
    assert.is(pool.open.size, 0);
  }));

test('what a pool that was closed had is decoded by another one, or without', async () => {
  for (const next of ['none', 'another'] as const) {
    await withPool(async (pool) => {
      await using model = await openModel(file);
      const first = new WorkerPool(1, { url: pathToFileURL(script) });
      await model.load({ workers: first, quality: 0.9 });
      first.close();
      await rejects(model.load({ workers: first }), WorkerError, /closed/);
      isExact(await model.load({ workers: next === 'none' ? 0 : pool }));
    });
  }
});

test('a worker that is slow holds up the source: few bytes wait for it', async () => {
  const shape = [2048, 2200];
  const weights = pseudoRandomBytes(4 * 2048 * 2200);
  const large = modelOf(
    [0, 1].map((i) => ({ name: `w${i}`, dtype: 'F32', shape }) as const),
    undefined,
    () => weights,
  );
  const bytes = await modelFileOf(large, { encode: { fragments: 32 } });
  assert.ok(bytes.length > 2 ** 25);
  const silent = new WorkerPool(1, { url: new URL('../helpers/silentWorker.mjs', import.meta.url) });
  await using model = await openModel(bytesSource(bytes));
  let read = 0;
  const abort = new AbortController();
  const loading = model.load({
    workers: silent,
    signal: abort.signal,
    onProgress: (progress) => {
      read = progress.bytes;
    },
  });
  await until(() => read > 2 ** 20);
  for (let before = -1; before !== read; await tick(100)) before = read;
  assert.ok(read < 2 ** 25, `${read} of ${bytes.length}`);
  abort.abort(new RangeError('enough'));
  await rejects(loading, RangeError, /enough/);
  silent.close();
});

test('files that are decoded, or refused, leave no tensor in a worker: one task decodes each', () =>
  withPool(async (pool) => {
    const sink = memorySink();
    await decodeModelFile(bytesSource(file), async () => sink, { workers: pool });
    assert.ok(Buffer.from(sink.bytes).equals(original));
    const broken = file.slice();
    broken[broken.length - 1000]! ^= 1;
    await rejects(
      decodeModelFile(bytesSource(broken), async () => memorySink(), { workers: pool }),
      Error,
      /checksum/,
    );
    assert.is(pool.opened, 0);
  }));

test.run();

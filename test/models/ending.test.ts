import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { bytesSource } from '../../sources/bytes.js';
import { createLimiter } from '../../sources/limiter.js';
import { ArgumentError, SourceError } from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { tick } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('loads that are ended');

const original = TRAINED_FILES.layers;
/** None of these passes within a test: what ends does so because it was told to. */
const FOR_EVER = 3_600_000;
const http = { retry: { delay: FOR_EVER, maxDelay: FOR_EVER }, idleTimeout: FOR_EVER };
const ENOUGH = new Error('enough');
let file: Uint8Array;
let server: FaultyServer;

test.before(async () => {
  file = await modelFileOf(original);
});
serverForEach(
  test,
  () => file,
  (fresh) => {
    server = fresh;
  },
);

/** Fails where waiting would never end. */
async function ends<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not end')), 20_000);
  });
  return Promise.race([promise, never]).finally(() => clearTimeout(timer));
}

/** A model whose next request brings some bytes, and then nothing more. */
async function stalledModel() {
  const model = await openModel(server.url, { http });
  server.fault = () => ({ stallAfter: 50_000 });
  return model;
}

/** Some tensors have come, and the server has gone silent. */
async function stalled(model: Model): Promise<void> {
  await arrival(() => model.quality > 0 && server.requests.at(-1)!.sent === 50_000);
}

async function arrival(condition: () => boolean): Promise<void> {
  while (!condition()) await tick(1);
}

test('close() of a paused model ends its load and those that wait', async () => {
  const model = await openModel(server.url, { http });
  model.pause();
  const loads = Promise.all([model.load(), model.load()]);
  const closed = /Cannot return the tensor: the model was closed/;
  const tensor = rejects(model.tensor('lstm.0.weight'), ArgumentError, closed);
  await tick();
  const requests = server.requests.length;
  await ends(model.close());
  const [first, second] = await ends(loads);
  assert.equal([first.size, second.size], [0, 0]);
  await ends(tensor);
  await tick(30);
  assert.is(server.requests.length, requests, 'no load starts a request after that');
});

test('close() ends a load whose server is silent, and those that wait; nothing is loaded after it', async () => {
  const model = await stalledModel();
  const completed: string[] = [];
  model.progress$.subscribe({ complete: () => completed.push('progress') });
  model.updates$.subscribe({ complete: () => completed.push('updates') });
  const loads = [model.load(), model.load()];
  await stalled(model);
  const requests = server.requests.length;
  await ends(Promise.all([model.close(), model.close()]));
  const [first, second] = await ends(Promise.all(loads));
  assert.ok(first!.size > 0 && second!.size > 0, 'they end with what has been loaded');
  assert.equal(completed, ['progress', 'updates']);
  await rejects(model.load(), ArgumentError, /Cannot read from the model: .*closed/);
  await rejects(model.tensor('lstm.0.weight'), ArgumentError, /closed/);
  model.pause();
  await ends(model.close());
  assert.is(server.requests.length, requests);
});

test('close() leaves what is being read out; what takes no more work is given', async () => {
  const tensors = [
    { name: 'a', dtype: 'F32', shape: [8] },
    { name: 'b', dtype: 'BF16', shape: [512, 1024] },
    { name: 'c', dtype: 'F32', shape: [8] },
    { name: 'd', dtype: 'BF16', shape: [8] },
  ] as const;
  const encoded = await modelFileOf(modelOf(tensors));
  const names = async (closeAt: string, as: 'F32' | 'source') => {
    const model = await openModel(encoded);
    let closed: Promise<void> | undefined;
    const layout = 'transposed';
    // Its memory is asked for when a tensor begins to be read.
    const out = ({ name }: { name: string }): undefined => {
      if (name === closeAt) closed = model.close();
    };
    const loads = [model.load({ as, layout, out }), model.load({ as }), model.load({ as: 'F16' })];
    const [first, ...waiting] = await ends(Promise.all(loads));
    await ends(closed!);
    assert.equal([...first!.keys()], ['a']);
    return waiting.map((loaded) => [...loaded.keys()].join(''));
  };
  assert.equal(await names('b', 'F32'), ['ac', '']);
  assert.equal(await names('b', 'source'), ['abcd', '']);
});

test('an aborted load leaves the queue at once, and the others go on', async () => {
  const model = await stalledModel();
  const first = new AbortController();
  const abort = new AbortController();
  const running = model.load({ signal: first.signal });
  const waiting = model.load({ signal: abort.signal });
  const last = model.load({ quality: 0.9 });
  await stalled(model);
  abort.abort(ENOUGH);
  assert.is(await ends(rejects(waiting, Error)), ENOUGH);
  server.fault = () => undefined;
  first.abort(ENOUGH);
  assert.is(await ends(rejects(running, Error)), ENOUGH);
  await ends(last);
  assert.ok(model.quality >= 0.9);
  await model.close();
});

test('the deadline of a load that waits counts from its call', async () => {
  const model = await stalledModel();
  const abort = new AbortController();
  const running = model.load({ signal: abort.signal });
  await stalled(model);
  const requests = server.requests.length;
  const loaded = await ends(model.load({ deadline: 20 }));
  assert.ok(loaded.size > 0);
  assert.is(server.requests.length, requests);
  abort.abort(ENOUGH);
  await rejects(running, Error, /enough/);
  await model.close();
});

test('waiting for a place in a limiter, and for another attempt', async () => {
  const limiter = createLimiter(1);
  const model = await openModel(server.url, { http: { ...http, limiter } });
  const leave = await limiter.acquire();
  const abort = new AbortController();
  const aborted = model.load({ signal: abort.signal });
  await tick();
  abort.abort(ENOUGH);
  assert.is(await ends(rejects(aborted, Error)), ENOUGH);
  const waiting = model.load();
  await tick();
  await ends(model.close());
  await ends(waiting);
  assert.ok(model.quality < 1);
  leave();

  const other = await openModel(server.url, { http });
  server.fault = () => ({ status: 503, headers: { 'retry-after': '3000' } });
  const { length } = server.requests;
  const retrying = other.load();
  await arrival(() => server.requests.length > length && server.active === 0);
  await ends(other.close());
  await ends(retrying);
});

/** A source that hears no signals and gives nothing after its start. */
function deafSource(): RandomAccessSource {
  const inner = bytesSource(file);
  return {
    ...inner,
    stream: (options) =>
      options?.start === 0 ? inner.stream(options) : new ReadableStream({}, { highWaterMark: 0 }),
  };
}

test('sources that hear no signal', async () => {
  const model = await openModel(deafSource());
  const abort = new AbortController();
  const loading = model.load({ signal: abort.signal });
  await tick();
  abort.abort(ENOUGH);
  assert.is(await ends(rejects(loading, Error)), ENOUGH);
  const again = model.load();
  await tick();
  await ends(model.close());
  await ends(again);
});

test('rows', async () => {
  const plain = bytesSource(original);
  let silent = false;
  const model = await openModel({
    ...plain,
    read: (offset, length, { signal } = {}) => {
      if (!silent) return plain.read(offset, length);
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  silent = true;
  // Those of the first tensors came with the header.
  const abort = new AbortController();
  const aborted = model.rows('lstm.1.weight', 0, 1, { signal: abort.signal });
  abort.abort(ENOUGH);
  assert.is(await ends(rejects(aborted, Error)), ENOUGH);
  const reading = model.rows('lstm.1.weight', 0, 1);
  await ends(
    Promise.all([model.close(), rejects(reading, ArgumentError, /Cannot read from the model.*closed/)]),
  );
  await rejects(model.rows('lstm.1.weight', 0, 1), ArgumentError, /closed/);
});

test('rows that failed before their model was closed say why', async () => {
  const plain = bytesSource(original);
  const failure = new SourceError('the disk is gone');
  let fail: (() => void) | undefined;
  let opened = false;
  const model = await openModel({
    ...plain,
    read: (offset, length) =>
      opened
        ? new Promise((_, reject) => {
            fail = () => reject(failure);
          })
        : plain.read(offset, length),
  });
  opened = true;
  const reading = model.rows('lstm.1.weight', 0, 1);
  while (fail === undefined) await tick();
  fail();
  await ends(Promise.all([model.close(), rejects(reading, SourceError, /the disk is gone/)]));
});

test('rows of what is loaded, of a model that is closed meanwhile', async () => {
  const model = await openModel(bytesSource(original));
  await model.load({ tensors: ['lstm.1.weight'] });
  const expected = await model.rows('lstm.1.weight', 0, 1);
  const reading = model.rows('lstm.1.weight', 0, 1);
  await ends(model.close());
  // Either it came first, or it says why not.
  const read = await reading.catch((error) => error);
  if (read instanceof Error) assert.match(read.message, /the model is closed/);
  else assert.equal(read, expected);
  await rejects(model.rows('lstm.1.weight', 0, 1), ArgumentError, /closed/);
});

test('workers that never answer; what they were given is decoded by the next load', async () => {
  const pool = new WorkerPool(1, { url: new URL('../helpers/silentWorker.mjs', import.meta.url) });
  const model = await openModel(server.url, { http });
  try {
    const abort = new AbortController();
    const loading = model.load({ workers: pool, signal: abort.signal });
    await tick(200);
    abort.abort(ENOUGH);
    assert.is(await ends(rejects(loading, Error)), ENOUGH);
    const again = model.load({ workers: pool });
    await tick(200);
    await ends(model.close());
    await ends(again);
  } finally {
    pool.close();
  }
});

test('a load with workers that is aborted anywhere goes on to the same tensors', async () => {
  const pool = new WorkerPool(2, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
  try {
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const model = await openModel(bytesSource(file));
      const abort = new AbortController();
      const loading = model.load({
        workers: pool,
        signal: abort.signal,
        onProgress: ({ bytes, totalBytes }) => bytes >= share * totalBytes && abort.abort(ENOUGH),
      });
      assert.is(await ends(rejects(loading, Error)), ENOUGH);
      const loaded = await ends(model.load());
      for (const { name, offset, byteLength } of parseSafetensorsHeader(original).tensors) {
        const data = viewBytes(loaded.get(name)!.data as Float32Array);
        assert.ok(Buffer.from(data).equals(original.subarray(offset, offset + byteLength)), name);
      }
    }
  } finally {
    pool.close();
  }
});

test.run();

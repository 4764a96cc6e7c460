import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModelFile } from '../../models/inputs/modelFile.js';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import type { ModelSnapshot } from '../../models/takeSnapshots.js';
import { bytesSource } from '../../sources/bytes.js';
import { ArgumentError, ChecksumError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects, throws } from '../helpers/assertions.js';
import { gatedSource } from '../helpers/gatedSource.js';
import { encodeToModelFile, modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { tick, until } from '../helpers/streams.js';
import { TRAINED_FILES, trainedLike } from '../helpers/trained.js';

const test = suite('snapshots');

/** Of sums of qualities. */
const ROUNDING = 1e-12;
const original = TRAINED_FILES.layers;
let file: Uint8Array;

test.before(async () => {
  file = await modelFileOf(original);
});

/**
 * Loads the model in steps. Each waits for a consumer to have what came before, however slow it is.
 * @param seen the quality of its last snapshot
 * @returns the number of steps that have made the model better
 */
async function loadInSteps(model: Model, seen: () => number): Promise<number> {
  const reached = new Set<number>();
  for (const quality of [0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 0.99, 1]) {
    await model.load({ quality });
    reached.add(model.quality);
    await until(() => seen() > model.quality - ROUNDING);
  }
  return reached.size;
}

async function countSnapshots(minGain: number): Promise<{ snapshots: number; steps: number }> {
  const model = await openModel(bytesSource(file));
  const qualities: number[] = [];
  const loading = loadInSteps(model, () => qualities.at(-1) ?? 0);
  for await (const { quality } of model.snapshots({ minGain })) qualities.push(quality);
  const steps = await loading;
  await model.close();
  return { snapshots: qualities.length, steps };
}

test('all tensors each time, better each time, at the end the model; what was given out does not change', async () => {
  const model = await openModel(bytesSource(file));
  const copies: { readonly snapshot: ModelSnapshot; readonly bytes: Map<string, Uint8Array> }[] = [];
  const loading = loadInSteps(model, () => copies.at(-1)?.snapshot.quality ?? 0);
  for await (const snapshot of model.snapshots()) {
    assert.is(snapshot.tensors.size, model.tensors.length);
    const bytes = new Map(
      Array.from(snapshot.tensors, ([name, { data }]) => [name, viewBytes(data).slice()]),
    );
    copies.push({ snapshot, bytes });
  }
  const steps = await loading;
  assert.ok(steps > 2 && copies.length >= steps, `${copies.length} in ${steps} steps`);
  const last = copies.at(-1)!.snapshot;
  assert.equal([last.quality, last.complete], [1, true]);
  let before = 0;
  for (const { snapshot, bytes } of copies) {
    assert.ok(snapshot.quality > before);
    before = snapshot.quality;
    for (const [name, { data, cosine, complete }] of snapshot.tensors) {
      assert.equal(viewBytes(data), bytes.get(name), name);
      if (complete) assert.is(cosine, 1, name);
    }
  }
  assert.is(copies[0]!.snapshot.complete, false);
});

test('minGain: fewer; the end of a load gives one in any case', async () => {
  const some = await countSnapshots(1);
  const many = await countSnapshots(0);
  // The first may come before the first step ends.
  assert.ok(some.snapshots <= some.steps + 1, `${some.snapshots} in ${some.steps} steps`);
  assert.ok(many.snapshots >= many.steps, `${many.snapshots} in ${many.steps} steps`);
  const model = await openModel(bytesSource(file));
  const iterator = model.snapshots({ minGain: 1 });
  await model.load({ quality: 0.99 });
  const { value: first } = await iterator.next();
  assert.ok(Math.abs(first!.quality - model.quality) < 1e-12, 'but for the rounding of sums');
  const next = iterator.next();
  await model.load({ quality: 0.9995 });
  assert.ok((await next).value!.quality >= 0.9995 - 1e-9);
  // Nothing has become better: there is none until something does.
  const waiting = iterator.next();
  await model.load({ quality: 0.9995 });
  assert.is(await Promise.race([waiting, tick(50)]), undefined);
  await model.close();
  assert.is((await waiting).done, true);
});

test('minInterval: no two are closer', async () => {
  // The last look at the clock before one is given tells when: a busy machine may run the loop that takes it much later. No
  // load looks meanwhile, because they are given at its end.
  const { now } = performance;
  let last = 0;
  performance.now = () => {
    last = now.call(performance);
    return last;
  };
  const times: number[] = [];
  try {
    await using model = await openModel(bytesSource(file));
    await model.load({ quality: 0.3 });
    let seen = 0;
    const loading = loadInSteps(model, () => seen);
    for await (const { quality } of model.snapshots({ minGain: 1, minInterval: 70 })) {
      times.push(last);
      seen = quality;
    }
    assert.is(times.length, await loading);
  } finally {
    performance.now = now;
  }
  for (const [i, time] of times.entries()) if (i > 0) assert.ok(time - times[i - 1]! > 70 - 1e-6, `${time}`);
});

test('as the source has them; of a model that is loaded, one; of one without tensors, too', async () => {
  const model = await openModel(bytesSource(file));
  await model.load();
  const all = [];
  for await (const snapshot of model.snapshots({ as: 'source' })) all.push(snapshot);
  assert.is(all.length, 1);
  assert.is(all[0]!.tensors.get('norm.num_batches_tracked')!.dtype, 'I64');
  const empty = await openModel(bytesSource(modelOf([])));
  const { value } = await empty.snapshots().next();
  assert.equal([value!.quality, value!.complete, value!.tensors.size], [1, true, 0]);
});

test('of a file that ends early: the tensors that it has, until the model is closed', async () => {
  const model = await openModel(file.subarray(0, file.length >> 1), { partial: true });
  const iterator = model.snapshots();
  await model.load();
  const { value } = await iterator.next();
  assert.is(value!.complete, false);
  assert.ok(Math.abs(value!.quality - model.quality) < 1e-12);
  const waiting = iterator.next();
  await model.close();
  assert.is((await waiting).done, true);
});

test('closing the model ends it, whatever has become better since the last one', async () => {
  const model = await openModel(bytesSource(file));
  await model.load({ quality: 0.9 });
  const iterator = model.snapshots({ minGain: 0 });
  assert.not.ok((await iterator.next()).value!.complete);
  await model.load({ quality: 0.99 });
  await model.close();
  assert.is((await iterator.next()).done, true);
  assert.is((await model.snapshots().next()).done, true);

  const whole = await openModel(bytesSource(file));
  await whole.load();
  await whole.close();
  assert.is((await whole.snapshots().next()).value!.complete, true);
});

test('closing the model while tensors are read gives no worse one', async () => {
  const model = await openModel(bytesSource(file));
  await model.load({ quality: 0.99 });
  const qualities: number[] = [];
  const reading = (async () => {
    for await (const { quality } of model.snapshots({ minGain: 0 })) {
      qualities.push(quality);
      if (qualities.length > 3) break;
    }
  })();
  await model.close();
  await reading;
  for (const [i, quality] of qualities.entries()) assert.ok(quality > (qualities[i - 1] ?? 0.98));
});

test('a signal, and leaving the loop, end it', async () => {
  const model = await openModel(bytesSource(file));
  const abort = new AbortController();
  const waiting = model.snapshots({ signal: abort.signal }).next();
  await tick();
  abort.abort(new Error('enough'));
  await rejects(waiting, Error, /enough/);
  await rejects(model.snapshots({ signal: abort.signal }).next(), Error, /enough/);
  await model.load({ quality: 0.99 });
  for await (const _ of model.snapshots()) break;
  throws(() => model.snapshots({ minGain: 2 }), ArgumentError, /minGain/);
  throws(() => model.snapshots({ minInterval: -1 }), ArgumentError, /minInterval/);
  await model.close();
});

test('a damaged piece that a snapshot finds first is an error of the load, and no snapshot', async () => {
  const shape = [64, 64];
  const tensor = { name: 'w', dtype: 'F32', shape } as const;
  const plain = modelOf([tensor], undefined, () => viewBytes(trainedLike(shape, 1)).slice());
  const small = await encodeToModelFile({ 'model.safetensors': plain });
  const { pieces } = (await openModelFile(bytesSource(small), {})).tensors[0]!;
  small[pieces[1]!.offset]! ^= 1;
  // Those that follow it have arrived, and the load waits for more.
  const last = pieces[5]!;
  const model = await openModel(gatedSource(small, last.offset + last.length));
  const loading = rejects(model.load(), ChecksumError);
  const snapshots = lastValueFrom(from(model.snapshots({ minGain: 0 })).pipe(toArray()));
  await loading;
  assert.is(model.quality, 0);
  await model.close();
  assert.equal(await snapshots, []);
});

test('snapshots$: the same as an observable; unsubscribing ends it', async () => {
  const model = await openModel(bytesSource(file));
  const all = lastValueFrom(model.snapshots$.pipe(toArray()));
  const first = firstValueFrom(model.snapshots$);
  const none = model.snapshots$.subscribe(() => assert.unreachable());
  none.unsubscribe();
  await model.load();
  assert.is((await first).tensors.size, model.tensors.length);
  assert.is((await all).at(-1)!.complete, true);
  await model.close();
});

test('progress goes on over several loads', async () => {
  const model = await openModel(bytesSource(file));
  const shown: number[] = [];
  model.progress$.subscribe(({ bytes, totalBytes }) => {
    assert.ok(bytes <= totalBytes);
    shown.push(bytes);
  });
  const total = model.plannedBytes();
  await model.load({ quality: 0.9 });
  const part = shown.at(-1)!;
  await model.load();
  assert.ok(part > 0 && part < total);
  assert.equal(
    shown,
    shown.toSorted((a, b) => a - b),
  );
  assert.is(shown.at(-1), total);
});

test.run();

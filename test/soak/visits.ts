import * as assert from 'uvu/assert';
import type { LoadOptions } from '../../models/load.js';
import type { Model } from '../../models/model.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import type { Random } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import { assertExact, assertTrue, type Loaded } from './compare.js';
import type { StoredModel } from './models.js';
import type { Outcome } from './stage.js';

/** An open model, and how it is loaded. */
export interface Visit {
  readonly model: Model;
  readonly stored: StoredModel;
  /** It has rows without a load. */
  readonly hasRows: boolean;
  /** For every load. */
  readonly options: LoadOptions;
  readonly random: Random;
}

/** Longer than most loads take, so that many moments are in the middle of one. */
const LONGEST_MS = 60;

/** What is done with a model before it is closed. @throws what loads throw, and what is wrong */
export const VISITS: Readonly<Record<string, (visit: Visit) => Promise<Outcome>>> = {
  load: exactLoad,
  async 'load some, then all'({ model, stored, options, random }) {
    const quality = random.pick([0.5, 0.9, 0.99]);
    const strategy = random.pick(['scan', 'quality', 'tensors'] as const);
    assertTrue(await model.load({ ...options, quality, strategy }), stored);
    assertExact(await model.load(options), stored);
    assert.is(model.plannedBytes(), 0);
    return 'exact';
  },
  async 'load chosen tensors'({ model, stored, options, random }) {
    const names = [...stored.tensors.keys()];
    const chosen = [random.pick(names), random.pick(names)];
    const loaded = await Promise.all(chosen.map((name) => model.tensor(name, options)));
    for (const tensor of loaded) assert.ok(tensor.complete);
    assertTrue(new Map(loaded.map((tensor) => [tensor.name, tensor])), stored);
    return 'exact';
  },
  async 'read rows'({ model, stored, hasRows, random }) {
    if (!hasRows) await model.load({ as: 'source' });
    const { name, shape, bytes } = random.pick([...stored.tensors.values()]);
    const [rows] = shape as [number];
    const start = random.below(rows + 1);
    const end = start + random.below(rows - start + 1);
    const { data } = await model.rows(name, start, end);
    const perRow = rows === 0 ? 0 : bytes.length / rows;
    assert.ok(Buffer.from(viewBytes(data)).equals(bytes.subarray(start * perRow, end * perRow)));
    return 'exact';
  },
  async 'pause and resume'({ model, stored, options, random }) {
    const pausing = async () => {
      await wait(random);
      model.pause();
      await wait(random);
      model.resume();
    };
    assertExact(await meanwhile(model.load(options), pausing()), stored);
    return 'exact';
  },
  'pause, then abort': (visit) => abortedLoad(visit, true),
  async 'pause, then close'({ model, stored, options, random }) {
    model.pause();
    assertTrue(await meanwhile(model.load(options), closing(model, random)), stored);
    return 'partial';
  },
  abort: (visit) => abortedLoad(visit, false),
  async 'abort, then load'(visit) {
    await abortedLoad(visit, false);
    return exactLoad(visit);
  },
  async close({ model, stored, options, random }) {
    assertTrue(await meanwhile(model.load(options), closing(model, random)), stored);
    return 'partial';
  },
  async 'queue loads, abort one, close'(visit) {
    const { model, stored, options, random } = visit;
    const first = model.load(options);
    const second = abortedLoad(visit, false);
    const third = model.load(options);
    const loading = Promise.all([first, third, second]);
    const [loaded] = await meanwhile(
      loading,
      wait(random).then(() => closing(model, random)),
    );
    assertTrue(loaded, stored);
    return 'partial';
  },
  async 'load until a deadline, then all'(visit) {
    const { model, stored, options, random } = visit;
    assertTrue(await model.load({ ...options, deadline: random.below(LONGEST_MS) }), stored);
    return exactLoad(visit);
  },
  async 'reorder meanwhile'({ model, stored, options, random }) {
    const reordering = async () => {
      for (let i = 0; i < 5; i++) {
        await wait(random, LONGEST_MS / 5);
        model.prioritize([random.pick([...stored.tensors.keys()])]);
      }
    };
    assertExact(await meanwhile(model.load(options), reordering()), stored);
    return 'exact';
  },
  async 'watch, and look away'(visit) {
    const { model, random } = visit;
    const seen = new Map<string, number>();
    const subscription = model.updates$.subscribe(({ name, cosine }) => {
      assert.ok(cosine >= (seen.get(name) ?? 0), 'a tensor has become worse');
      seen.set(name, cosine);
    });
    const readers = [model.progressStream(), model.updatesStream()].map((stream) => stream.getReader());
    const watching = async (reader: ReadableStreamDefaultReader<unknown>) => {
      for (let left = 1 + random.below(10); left > 0; left--) if ((await reader.read()).done) break;
      await reader.cancel();
    };
    const watched = Promise.all(readers.map(watching));
    const lookedAway = wait(random).then(() => subscription.unsubscribe());
    const loading = exactLoad(visit).finally(() => model.close());
    return meanwhile(loading, Promise.all([watched, lookedAway]));
  },
  'close at once': async () => 'partial',
};

async function exactLoad({ model, stored, options }: Visit): Promise<Outcome> {
  assertExact(await model.load(options), stored);
  return 'exact';
}

/** A load whose signal aborts meanwhile, perhaps while the model pauses. It may be faster. */
async function abortedLoad(visit: Visit, pauses: boolean): Promise<Outcome> {
  const { model, stored, options, random } = visit;
  const abort = new AbortController();
  const reason = new Error('aborted while it loads');
  const aborting = async () => {
    await wait(random);
    if (pauses) model.pause();
    if (pauses) await wait(random);
    abort.abort(reason);
  };
  const check = (loaded: Loaded): Outcome => {
    assertTrue(loaded, stored);
    return 'exact';
  };
  const loading = model.load({ ...options, signal: abort.signal }).then(check, (error) => {
    if (error !== reason) throw error;
    return 'aborted';
  });
  return meanwhile(loading, aborting());
}

async function closing(model: Model, random: Random): Promise<void> {
  await wait(random);
  await model.close();
}

/** What a load gives, when both have ended. */
async function meanwhile<T>(loading: Promise<T>, doing: Promise<unknown>): Promise<T> {
  const [loaded, done] = await Promise.allSettled([loading, doing]);
  if (loaded.status === 'rejected') throw loaded.reason;
  if (done.status === 'rejected') throw done.reason;
  return loaded.value;
}

/** A random moment from now. */
function wait(random: Random, most = LONGEST_MS): Promise<void> {
  return tick(random.below(most));
}

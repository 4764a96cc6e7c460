import { merge, Subject } from 'rxjs';
import {
  type Improvement,
  type Improving,
  improvements,
  PACE_RULES,
  type PaceOptions,
  type ReadQuality,
  readAll,
} from '../models/improvements.js';
import { LOAD_RULES, type LoadOptions } from '../models/load.js';
import type { Model } from '../models/model.js';
import type { TensorState } from '../models/tensorState.js';
import { onAbort } from '../platform/abort.js';
import { having, type Rules } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';

/** How the model is loaded, as with `Model.load`. */
export type LoadingOptions = Pick<
  LoadOptions,
  'quality' | 'deadline' | 'priority' | 'strategy' | 'workers' | 'limits' | 'onProgress'
>;

export const LOADING_RULES: Rules<LoadingOptions> = {
  quality: LOAD_RULES.quality,
  deadline: LOAD_RULES.deadline,
  priority: LOAD_RULES.priority,
  strategy: LOAD_RULES.strategy,
  workers: LOAD_RULES.workers,
  limits: LOAD_RULES.limits,
  onProgress: LOAD_RULES.onProgress,
};

/** And how often the runtime gets better weights, as with `Model.snapshots`. */
export interface StreamTensorsOptions extends LoadingOptions, PaceOptions {}

export const STREAM_RULES: Rules<StreamTensorsOptions> = { ...PACE_RULES, ...LOADING_RULES };

export const MODEL = /* @__PURE__ */ having<Model>('improving', 'a model, opened by openModel');

/** Reads a tensor into a runtime; undefined for one of which nothing has been loaded. */
export type ReadTensor = (state: TensorState, signal: AbortSignal) => Promise<ReadQuality | undefined>;

/**
 * Loads tensors of a model, and reads those that have improved: first when something of each has come, then each time that the
 * whole is usefully better, last when the load has ended. A consumer that leaves ends the load.
 * @throws what the load throws; ArgumentError when it ends before something of each has come
 */
export async function* streamTensors(
  model: Model,
  names: readonly string[],
  { minInterval, minGain, signal: outer, ...options }: StreamTensorsOptions,
  read: ReadTensor,
): AsyncGenerator<Improvement, void, undefined> {
  outer?.throwIfAborted();
  const { load, ...improving } = model.improving(names);
  const stop = new AbortController();
  const { signal } = stop;
  const remove = outer && onAbort(outer, (reason) => stop.abort(reason));
  const ended = new Subject<void>();
  let outcome: { readonly error?: unknown } | undefined;
  const loading = load({ ...options, signal })
    .then(
      () => ({}),
      (error) => ({ error }),
    )
    .then((result) => {
      outcome = result;
      ended.next();
    });
  const isOver = () => {
    if (outcome !== undefined && 'error' in outcome) throw outcome.error;
    return outcome !== undefined;
  };
  const changing: Improving = { ...improving, changes$: merge(improving.changes$, ended) };
  // What has not improved need not be read again.
  const known = new Map<TensorState, ReadQuality>();
  const take = () =>
    readAll(improving.states, async (state) => {
      const before = known.get(state);
      const { cosine, complete } = state;
      if (before?.cosine === cosine && before.complete === complete) return before;
      const tensor = await read(state, signal);
      // As it was before: more may have come while it was read.
      if (tensor !== undefined) known.set(state, { cosine, complete });
      return tensor;
    });
  let any = false;
  try {
    for await (const one of improvements(changing, { minInterval, minGain, signal }, take, isOver)) {
      any = true;
      yield one;
    }
    if (any) return;
  } finally {
    remove?.();
    stop.abort();
    await loading;
  }
  const missing = improving.states.find(({ cosine, tensor }) => cosine === 0 && tensor.pieces.length > 0);
  throw new ArgumentError('Cannot give all tensors: the load ended before something of each had come', {
    name: missing?.tensor.name,
  });
}

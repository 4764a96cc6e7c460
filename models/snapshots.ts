import { Observable } from 'rxjs';
import { onAbort } from '../platform/abort.js';
import { startTimer } from '../platform/timer.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { number, type Rules } from '../src/checks/options.js';
import { type LoadedTensor, OUTPUT_RULES, type OutputOptions, type OutputType } from './output.js';
import type { ModelQuality } from './progress.js';
import type { TensorState } from './tensorState.js';

/** All tensors of a model, each as it was when the snapshot was made. */
export interface ModelSnapshot<A extends OutputType = 'F32'> {
  /** By name, in the order of the model. Their arrays do not change any more. */
  readonly tensors: ReadonlyMap<string, LoadedTensor<A>>;
  /** True cosine similarity of these tensors with the whole model, see `Model.quality`. */
  readonly quality: number;
  /** Nothing is missing in any of them: it is the last snapshot. */
  readonly complete: boolean;
}

export interface SnapshotOptions<A extends OutputType = OutputType>
  extends AbortOptions,
    Pick<OutputOptions<A>, 'as'> {
  /** Least milliseconds from one snapshot to the next. Default 0. */
  readonly minInterval?: number | undefined;
  /**
   * How much the quality must have risen for another snapshot. One is made in any case at the end of a load that has
   * improved anything. Default 0.01.
   */
  readonly minGain?: number | undefined;
}

export const SNAPSHOT_RULES: Rules<SnapshotOptions> = {
  ...ABORT_RULES,
  as: OUTPUT_RULES.as,
  minInterval: /* @__PURE__ */ number(),
  minGain: /* @__PURE__ */ number(0, 1),
};

/** What snapshots are made of. */
export interface SnapshotSource {
  readonly states: ReadonlyMap<string, TensorState>;
  readonly quality: ModelQuality;
  /** Emits when a tensor has improved and when a load has ended; completes when the model is closed. */
  readonly changes$: Observable<unknown>;
  readonly isLoading: () => boolean;
}

/**
 * The first when something of every tensor has been loaded, then each time that the whole has become usefully better. It
 * ends with the complete model, and when the model is closed. A consumer that is slower than the load misses what is between.
 * @throws the reason of the signal; LimitError
 */
export async function* snapshots<A extends OutputType>(
  source: SnapshotSource,
  { as, minInterval = 0, minGain = 0.01, signal }: SnapshotOptions<A>,
): AsyncGenerator<ModelSnapshot<A>, void, undefined> {
  const changes = new Changes(source.changes$, signal);
  const { states, quality, isLoading } = source;
  let expected = 0;
  for (const { tensor } of states.values()) if (tensor.pieces.length > 0) expected += 1;
  let [last, time] = [0, Number.NEGATIVE_INFINITY];
  try {
    for (;;) {
      const gain = quality.whole - last;
      const isFirst = time === Number.NEGATIVE_INFINITY;
      const isUseful = isFirst || (gain > 0 && (gain >= minGain || !isLoading()));
      const wait = time + minInterval - performance.now();
      if (quality.ready < expected || !isUseful || wait > 0) {
        const goesOn = await changes.next(isUseful && wait > 0 ? wait : undefined);
        if (!goesOn) return;
        continue;
      }
      time = performance.now();
      const snapshot = await take<A>(source, as, signal);
      last = snapshot.quality;
      yield snapshot;
      if (snapshot.complete) return;
    }
  } finally {
    changes.close();
  }
}

async function take<A extends OutputType>(
  { states }: SnapshotSource,
  as: A | undefined,
  signal: AbortSignal | undefined,
): Promise<ModelSnapshot<A>> {
  const tensors = new Map<string, LoadedTensor<A>>();
  let [sum, total, complete] = [0, 0, true];
  for (const [name, state] of states) {
    const tensor = await state.read<A>({ as, signal });
    const { weight } = state.tensor;
    total += weight;
    sum += weight * (tensor?.cosine ?? 0);
    complete &&= tensor?.complete === true;
    if (tensor !== undefined) tensors.set(name, tensor);
  }
  return { tensors, quality: total === 0 ? 1 : Math.min(1, sum / total), complete };
}

/** Waits for changes of the model; those that come meanwhile count for the next wait. */
class Changes {
  readonly #signal: AbortSignal | undefined;
  readonly #remove: (() => void)[] = [];
  #changed = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(changes$: Observable<unknown>, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#signal = signal;
    const change = () => {
      this.#changed = true;
      this.#wake?.();
    };
    const complete = () => {
      this.#closed = true;
      this.#wake?.();
    };
    const subscription = changes$.subscribe({ next: change, complete });
    this.#remove.push(() => subscription.unsubscribe());
    if (signal !== undefined) this.#remove.push(onAbort(signal, change));
  }

  /**
   * @param ms waits no longer
   * @returns false when the model is closed
   */
  async next(ms: number | undefined): Promise<boolean> {
    if (!this.#changed && !this.#closed) {
      await new Promise<void>((resolve) => {
        const stop = ms === undefined ? undefined : startTimer(ms, resolve);
        this.#wake = () => {
          stop?.();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#changed = false;
    this.#signal?.throwIfAborted();
    return !this.#closed;
  }

  close(): void {
    for (const remove of this.#remove) remove();
  }
}

/** Each subscriber has an iteration of its own; unsubscribing ends it. */
export function observe<T>(iterate: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const stop = new AbortController();
    const run = async () => {
      for await (const value of iterate(stop.signal)) subscriber.next(value);
      subscriber.complete();
    };
    run().catch((error) => {
      if (!stop.signal.aborted) subscriber.error(error);
    });
    return () => stop.abort();
  });
}

import type { Observable } from 'rxjs';
import { onAbort } from '../platform/abort.js';
import { startTimer } from '../platform/timer.js';
import { nextTurn } from '../src/async/steps.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { number, type Rules } from '../src/checks/options.js';
import { WorkerError } from '../src/errors.js';
import { BELOW_ONE, type LoadedTensor } from './output.js';
import type { ModelQuality } from './progress.js';
import type { TensorState } from './tensorState.js';

/** How often what improves is passed on. */
export interface PaceOptions extends AbortOptions {
  /** Least milliseconds from one to the next. Default 0. */
  readonly minInterval?: number | undefined;
  /**
   * How much the quality must have risen for another one. One is made in any case at the end of a load that has
   * improved anything. Default 0.01.
   */
  readonly minGain?: number | undefined;
}

export const PACE_RULES: Rules<PaceOptions> = {
  ...ABORT_RULES,
  minInterval: /* @__PURE__ */ number(),
  minGain: /* @__PURE__ */ number(0, 1),
};

/** No gain: the rounding of sums, of which that of the model and that of what was read add in different orders. */
const ROUNDING = 1e-12;

/** Tensors that improve. */
export interface Improving {
  readonly states: readonly TensorState[];
  /** Emits when a tensor has improved and when a load has ended; completes when the model is closed. */
  readonly changes$: Observable<unknown>;
  isLoading(): boolean;
  /**
   * Loads again what was lost with a worker; a load that runs does so itself.
   * @returns whether anything was lost
   */
  restore(options: AbortOptions): Promise<boolean>;
  /** How often a tensor has been begun anew: what is read meanwhile may lack it. */
  losses(): number;
  /** Of the tensors together. */
  quality(): Pick<ModelQuality, 'whole' | 'ready'>;
}

/** What is known of tensors that were read together. */
export interface Improvement {
  /** Mean cosine of them, by their weights. */
  readonly quality: number;
  /** Nothing is missing in any of them: it is the last. */
  readonly complete: boolean;
}

/**
 * The first when something of every tensor has been loaded, then each time that the whole has become usefully better. It
 * ends with complete tensors, when the model is closed, and when `isOver` says so and nothing is left to give. A consumer that
 * is slower than the load misses what is between.
 * @param take reads the tensors
 * @throws the reason of the signal; what `take` and `isOver` throw
 */
export async function* improvements<T extends Improvement>(
  improving: Improving,
  { minInterval = 0, minGain = 0.01, signal }: PaceOptions,
  take: () => Promise<T>,
  isOver: () => boolean = () => false,
): AsyncGenerator<T, void, undefined> {
  const changes = new Changes(improving.changes$, signal);
  // Of a file that ends early, some tensors have none.
  const expected = improving.states.filter(({ tensor }) => tensor.pieces.length > 0).length;
  let [last, time] = [0, Number.NEGATIVE_INFINITY];
  let failures = 0;
  try {
    for (;;) {
      const over = isOver();
      const { whole, ready } = improving.quality();
      // A closed model has given back what was not complete: reading it again would find less, without end.
      if (changes.isClosed && whole < 1) return;
      const gain = whole - last;
      const isFirst = time === Number.NEGATIVE_INFINITY;
      const isBetter = gain > ROUNDING || (whole === 1 && last < 1);
      const isUseful =
        ready >= expected && (isFirst || (isBetter && (gain >= minGain || !improving.isLoading())));
      const wait = time + minInterval - performance.now();
      if (!isUseful || wait > 0) {
        if (over && !isUseful) return;
        const goesOn = await changes.next(isUseful ? wait : undefined);
        if (!goesOn) return;
        continue;
      }
      const losses = improving.losses();
      const taken = await take().catch(async (error: unknown) => {
        if (!(error instanceof WorkerError)) throw error;
        if (improving.isLoading()) return undefined;
        // Another one may have restored it; but what fails and has lost nothing would fail without end.
        failures = (await improving.restore({ signal })) ? 0 : failures + 1;
        if (failures > 1) throw error;
        return undefined;
      });
      // Reading may have found that the only pieces of a tensor are damaged.
      if (taken === undefined || improving.losses() !== losses || improving.quality().ready < expected) {
        if (!(await changes.next())) return;
        continue;
      }
      if (changes.isClosed && !taken.complete) return;
      // Not before: one that takes long to make would bring the next one closer.
      time = performance.now();
      failures = 0;
      last = taken.quality;
      yield taken;
      if (taken.complete) return;
    }
  } finally {
    changes.close();
  }
}

/** How good a tensor was when it was read. */
export type ReadQuality = Pick<LoadedTensor, 'cosine' | 'complete'>;

/** Reads all of the tensors; `read` gives undefined for one of which nothing has been loaded. */
export async function readAll(
  states: Iterable<TensorState>,
  read: (state: TensorState) => Promise<ReadQuality | undefined>,
): Promise<Improvement> {
  let [sum, total, complete] = [0, 0, true];
  for (const state of states) {
    await nextTurn();
    const tensor = await read(state);
    const { weight } = state.tensor;
    total += weight;
    sum += weight * (tensor?.cosine ?? 0);
    complete &&= tensor?.complete === true;
  }
  return { quality: total === 0 || complete ? 1 : Math.min(BELOW_ONE, sum / total), complete };
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

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * @param ms waits no longer
   * @returns false when the model is closed
   */
  async next(ms?: number): Promise<boolean> {
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

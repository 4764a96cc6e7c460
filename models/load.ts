import { startTimer } from '../platform/timer.js';
import { isPromise, type Soon } from '../src/async/after.js';
import { nextTurn } from '../src/async/steps.js';
import { type Budget, limitsOf, type OpenOptions } from '../src/checks/limits.js';
import { callback, type Rules } from '../src/checks/options.js';
import { OPEN_RULES } from '../src/checks/rules.js';
import { LimitError } from '../src/errors.js';
import { loadPool } from '../workers/loadPool.js';
import type { WorkerPool, WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import { PieceFetcher } from './fetchPieces.js';
import { checkLoad, type HeldTensors } from './loadLimits.js';
import { OUTPUT_RULES, type OutputOptions, type OutputType } from './output.js';
import { PLAN_RULES, type PlannedPiece, type PlanOptions, withFirst } from './planning.js';
import { type ModelProgress, Throughput } from './progress.js';
import type { TensorState } from './tensorState.js';

export interface LoadOptions<A extends OutputType = OutputType>
  extends PlanOptions,
    OutputOptions<A>,
    OpenOptions,
    WorkersOption {
  /** Milliseconds from now: the load ends with the best quality that the throughput can bring by then. */
  readonly deadline?: number | undefined;
  /** Called at each change, with what `progress$` emits. */
  readonly onProgress?: ((progress: ModelProgress) => void) | undefined;
}

export const LOAD_RULES: Rules<LoadOptions> = {
  ...PLAN_RULES,
  ...OUTPUT_RULES,
  ...OPEN_RULES,
  workers: WORKERS,
  // It may have passed already.
  deadline: (deadline) =>
    (typeof deadline !== 'number' || Number.isNaN(deadline)) && 'a number of milliseconds',
  onProgress: callback,
};

/** The model that a load fills and reports to. */
export interface LoadTarget extends HeldTensors {
  /** Of all loads of the model. */
  readonly budget: Budget;
  /** Tensors that got pieces, in this load or in one before that was aborted, until all of these are decoded. */
  readonly unsettled: Set<TensorState>;
  readonly onBytes: (fetched: number) => void;
  readonly onProgress: (progress: ModelProgress) => void;
  /** Whether anybody is told by `onProgress`. */
  readonly isObserved: () => boolean;
  readonly onBetterTensor: (state: TensorState) => void;
}

/** Bytes of pieces that workers have not decoded yet: a tenth of a second for one of them. */
const MAX_DECODING_BYTES = 2 ** 24;

/** One load of a model: fetches the pieces of a plan, decodes each as it arrives, and reports progress. */
export class Load {
  readonly #target: LoadTarget;
  readonly #options: LoadOptions;
  #pool: WorkerPool | undefined;
  readonly #fetcher: PieceFetcher;
  readonly #throughput = new Throughput();
  readonly #totalBytes: number;
  #bytes = 0;
  /** Pieces that workers are decoding, and their bytes. */
  readonly #decoding = new Set<Promise<void>>();
  #decodingBytes = 0;
  /** It has ended without all that was planned. */
  #isPartial = false;
  /** What ended the load, perhaps when all was fetched. */
  #failure: { readonly error: unknown } | undefined;

  /** @throws LimitError */
  constructor(pieces: readonly PlannedPiece[], target: LoadTarget, options: LoadOptions) {
    const limits = limitsOf(options);
    this.#totalBytes = checkLoad(pieces, target, options, limits);
    this.#target = target;
    target.budget.limits = limits;
    this.#options = options;
    this.#fetcher = new PieceFetcher(pieces, {
      signal: options.signal,
      limits,
      concurrency: concurrencyOf(pieces, options, limits.concurrency),
      onBytes: (bytes) => this.#count(bytes),
      onPiece: (piece, bytes, isOwn) => this.#decode(piece, bytes, isOwn),
      goesOn: (piece) => this.#fitsDeadline(piece),
    });
  }

  /** @throws what sources, decoders and an aborted signal throw; what was decoded before stays */
  async run(): Promise<void> {
    const { deadline, workers } = this.#options;
    const stopTimer = deadline === undefined ? undefined : startTimer(deadline, () => this.finish());
    try {
      this.#pool = await loadPool(workers);
      await this.#fetcher.run();
    } finally {
      stopTimer?.();
      await Promise.all(this.#decoding);
    }
    this.#throwFailure();
    await this.#settle();
    this.#throwFailure();
  }

  /** Ends the load without an error. */
  finish(): void {
    this.#isPartial = true;
    this.#fetcher.finish();
  }

  /** Ends the load with an error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#fetcher.fail(error);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  pause(): void {
    this.#fetcher.pause();
  }

  resume(): void {
    this.#fetcher.resume();
  }

  /** Moves tensors to the front, in this order. */
  prioritize(tensors: readonly TensorState[]): void {
    const first = tensors.map(({ tensor }) => tensor);
    this.#fetcher.reorder((queue) => withFirst(queue, first));
  }

  #decode({ tensor, piece }: PlannedPiece, bytes: Uint8Array, isOwn: boolean): Soon<void> {
    const state = this.#target.states.get(tensor.name);
    const { signal } = this.#options;
    if (state === undefined) return nextTurn(signal);
    this.#target.unsettled.add(state);
    const { budget } = this.#target;
    const added = state.add(piece, bytes, { pool: this.#pool, budget, isOwn, signal });
    if (isPromise(added)) {
      const told = added.then(() => this.#tellBetter(state));
      return this.#decodeLater(told, bytes.length);
    }
    this.#tellBetter(state);
    return nextTurn(signal);
  }

  async #decodeLater(added: Promise<void>, bytes: number): Promise<void> {
    await (this.#pool === undefined ? added : this.#decodeBeside(added, bytes));
    await nextTurn(this.#options.signal);
  }

  /** Workers decode while the next pieces come, as far as {@link MAX_DECODING_BYTES} allows; their errors end the load. */
  async #decodeBeside(added: Promise<void>, bytes: number): Promise<void> {
    this.#decodingBytes += bytes;
    const decoding: Promise<void> = added
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#decoding.delete(decoding);
        this.#decodingBytes -= bytes;
      });
    this.#decoding.add(decoding);
    while (this.#decodingBytes > MAX_DECODING_BYTES) await Promise.race(this.#decoding);
  }

  /** Has the workers decode what they were given. */
  async #settle(): Promise<void> {
    const { signal } = this.#options;
    for (const state of this.#target.unsettled) {
      const before = state.cosine;
      const taken = state.takeHeld({ signal });
      if (isPromise(taken)) await taken;
      if (state.cosine !== before) this.#tellBetter(state);
      await nextTurn(signal);
    }
    await Promise.all(
      Array.from(this.#target.unsettled, async (state) => {
        const before = state.cosine;
        const settled = await state.settle({ signal }).catch((error) => {
          // What was planned beside it, and did not come in time, would have paid.
          if (this.#isPartial && error instanceof LimitError) return false;
          throw error;
        });
        if (settled) this.#target.unsettled.delete(state);
        if (state.cosine !== before) this.#tellBetter(state);
      }),
    );
  }

  #fitsDeadline({ length }: PlannedPiece): boolean {
    const { deadline } = this.#options;
    if (deadline === undefined) return true;
    const fits = this.#throughput.elapsed + (this.#throughput.timeFor(length) ?? 0) <= deadline;
    this.#isPartial ||= !fits;
    return fits;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#target.onBytes(bytes);
    this.#throughput.add(bytes);
    this.#tellProgress();
  }

  #tellBetter(state: TensorState): void {
    if (state.complete) this.#target.unsettled.delete(state);
    this.#target.quality.update(state);
    this.#tellProgress();
    this.#target.onBetterTensor(state);
  }

  #tellProgress(): void {
    const { states, quality, fetched, onProgress, isObserved } = this.#target;
    const own = this.#options.onProgress;
    if (own === undefined && !isObserved()) return;
    const bytes = fetched + this.#bytes;
    const progress: ModelProgress = {
      bytes,
      // What is asked for meanwhile ends a request within a chunk, and the rest of the chunk comes again.
      totalBytes: Math.max(bytes, fetched + this.#totalBytes),
      ready: quality.ready,
      tensors: states.size,
      quality: quality.whole,
      qualities: quality.qualities,
      bytesPerSecond: this.#throughput.bytesPerSecond,
      remainingMs: this.#throughput.timeFor(Math.max(0, this.#totalBytes - this.#bytes)),
    };
    onProgress(progress);
    own?.(progress);
  }
}

/** Requests at a time: for chosen tensors, which are apart in a file, and for files. A scan reads each file in its order. */
function concurrencyOf(
  pieces: readonly PlannedPiece[],
  { strategy, tensors }: LoadOptions,
  most: number,
): number {
  if (strategy !== 'scan' && tensors !== undefined) return most;
  return Math.min(most, new Set(pieces.map(({ file }) => file)).size);
}

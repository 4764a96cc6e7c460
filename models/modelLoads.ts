import { type Observable, Subject } from 'rxjs';
import { createLimiter, type Limiter } from '../sources/limiter.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { Budget, type LimitsOption, limitsOf } from '../src/checks/limits.js';
import { WorkerError } from '../src/errors.js';
import { loadPool } from '../workers/loadPool.js';
import type { Improving } from './improvements.js';
import type { LoadableTensor } from './inputs/content.js';
import { Load, type LoadOptions, type LoadTarget } from './load.js';
import { ENDED, LoadQueue } from './loadQueue.js';
import type { LoadedTensor, OutputType } from './output.js';
import { Catalog, isOwn, type PlannedPiece, type PlanOptions, planPieces } from './planning.js';
import { type ModelProgress, ModelQuality } from './progress.js';
import { readTensors } from './readTensors.js';
import { TensorState } from './tensorState.js';
import { TensorUpdates } from './tensorUpdates.js';

/** Tensors of a model as adapters load and read them. */
export interface ImprovingLoad extends Improving {
  load(options: LoadOptions): Promise<void>;
}

/** The loads of a model, one after another, and what they have in common: the tensors, their quality, what is reported. */
export class ModelLoads {
  readonly states: ReadonlyMap<string, TensorState>;
  readonly quality: ModelQuality;
  readonly progress$: Observable<ModelProgress>;
  readonly updates = new TensorUpdates((error) => this.#load?.fail(error));
  readonly #limits: LimitsOption['limits'];
  readonly #budget: Budget;
  readonly #catalog: Catalog;
  readonly #progress = new Subject<ModelProgress>();
  /** A tensor has improved, or a load has ended. */
  readonly #changes = new Subject<void>();
  readonly #queue = new LoadQueue();
  /** Aborts at {@link close} what is read after loads. */
  readonly #closing = new AbortController();
  /** Loads until their tensors have been read. */
  readonly #loaded = new Set<Promise<unknown>>();
  /** Tensors with pieces that may not be decoded yet. */
  readonly #unsettled = new Set<TensorState>();
  /** Bytes that loads have fetched. */
  #fetched = 0;
  /** The current load. */
  #load: Load | undefined;
  /** A load runs, or begins anew what was lost with a worker. */
  #isLoading = false;
  /** Tensors that have been begun anew. */
  #losses = 0;
  #paused = false;

  constructor(tensors: readonly LoadableTensor[], { limits }: LimitsOption) {
    this.#limits = limits;
    this.#budget = new Budget(limitsOf({ limits }));
    this.#catalog = new Catalog(tensors);
    const completing = createLimiter(1);
    this.states = new Map(
      tensors.filter(isOwn).map((tensor) => [tensor.name, this.#stateOf(tensor, completing)]),
    );
    this.quality = new ModelQuality(this.states.values());
    this.progress$ = this.#progress.asObservable();
  }

  #stateOf(tensor: LoadableTensor, completing: Limiter): TensorState {
    const state: TensorState = new TensorState(tensor, completing, (error) => {
      this.quality.update(state);
      this.#load?.fail(error);
    });
    return state;
  }

  /** @throws ArgumentError for names that the model does not have */
  plan(options: PlanOptions & LimitsOption): PlannedPiece[] {
    // What is around tensors is read with them by the first load: requests that leave it out would take longer.
    const isLoaded = ({ name }: LoadableTensor, piece: number) =>
      this.states.get(name)?.has(piece) ?? this.#fetched > 0;
    return planPieces(this.#catalog, { limits: this.#limits, ...options }, isLoaded);
  }

  /**
   * Loads, and reads the requested tensors.
   * @param options `tensors` are in the model
   */
  load<A extends OutputType>(options: LoadOptions<A>): Promise<ReadonlyMap<string, LoadedTensor<A>>> {
    const loaded = this.#loadAndRead(options);
    this.#loaded.add(loaded);
    return loaded.finally(() => this.#loaded.delete(loaded));
  }

  async #loadAndRead<A extends OutputType>(
    options: LoadOptions<A>,
  ): Promise<ReadonlyMap<string, LoadedTensor<A>>> {
    const losses = await this.#runInTurn(options);
    try {
      const loaded = await readTensors(this.states, options, this.#closing.signal);
      if (losses === this.#losses) return loaded;
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
    }
    // A worker died after the load. Only loads, in their turn, begin anew what is lost: another one may be running.
    await this.#runInTurn(options);
    return readTensors(this.states, options, this.#closing.signal);
  }

  /** Loads after the loads before. One that ends because the model is closed is no error. */
  async run(options: LoadOptions): Promise<void> {
    await this.#runInTurn(options);
  }

  /** @returns `#losses` when it has ended, before the next one begins */
  async #runInTurn(options: LoadOptions): Promise<number> {
    try {
      let losses = 0;
      await this.#queue.load(options, async (end) => {
        await this.#run({ ...options, ...end });
        losses = this.#losses;
      });
      return losses;
    } catch (error) {
      if (error !== ENDED) throw error;
      return this.#losses;
    }
  }

  /**
   * Reads beside the loads, until the model is closed.
   * @throws ENDED when it is closed
   */
  read<T>(read: (options: AbortOptions) => Promise<T>, { signal }: AbortOptions): Promise<T> {
    return this.#queue.run(signal, (end) => read({ signal: end.signal }));
  }

  pause(): void {
    this.#paused = true;
    this.#load?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#load?.resume();
  }

  /** Moves tensors to the front of the current load, in this order. */
  prioritize(states: readonly TensorState[]): void {
    this.#load?.prioritize(states);
  }

  /** Some of the tensors, or all in their order, as they improve. */
  improving(states: readonly TensorState[]): Improving {
    const all = states.length === this.states.size;
    const part = () => {
      const quality = new ModelQuality(states);
      for (const state of states) quality.update(state);
      return quality;
    };
    return {
      states,
      changes$: this.#changes,
      isLoading: () => this.#isLoading,
      restore: (options) => this.#restore(options),
      losses: () => this.#losses,
      quality: () => (all ? this.quality : part()),
    };
  }

  /** The same, and a load that reads none of the others. */
  improvingLoad(states: readonly TensorState[]): ImprovingLoad {
    const names = states.map(({ tensor }) => tensor.name);
    // All of a file are read in its order.
    const all = states.length === this.states.size;
    return {
      ...this.improving(states),
      load: (options) => this.run({ ...options, tensors: all ? undefined : names }),
    };
  }

  /** Ends loads and reads under way or waiting, and the observables. */
  async close(): Promise<void> {
    this.#closing.abort(ENDED);
    await this.#queue.close();
    await Promise.allSettled(this.#loaded);
    for (const state of this.states.values()) state.close();
    this.#progress.complete();
    this.updates.complete();
    this.#changes.complete();
  }

  /**
   * Loads again, after the loads before, the pieces of tensors that were lost with a worker, and no others. In this thread: the pool may
   * be closed.
   */
  async #restore({ signal }: AbortOptions): Promise<boolean> {
    let anyLost = false;
    try {
      await this.#queue.load({ signal }, async (end) => {
        const lost = this.#forgetLost();
        anyLost = lost.size > 0;
        const isLost = ({ tensor, piece }: PlannedPiece) => piece < (lost.get(tensor.name) ?? 0);
        this.#isLoading = true;
        try {
          if (anyLost) await this.#runOnce(end, isLost);
        } finally {
          this.#isLoading = false;
          this.#changes.next();
        }
      });
    } catch (error) {
      if (error !== ENDED) throw error;
    }
    return anyLost;
  }

  async #run(options: LoadOptions): Promise<void> {
    const start = performance.now();
    this.#forgetLost();
    this.#isLoading = true;
    try {
      await this.#runOnce(options);
    } catch (error) {
      const pool = await loadPool(options.workers);
      // Without workers, too: an earlier load may have had some.
      if (pool?.hasStarted === false || !(error instanceof WorkerError)) throw error;
      if (this.#forgetLost().size === 0) throw error;
      const { deadline } = options;
      const left = deadline === undefined ? undefined : Math.max(0, deadline - (performance.now() - start));
      await this.#runOnce({ ...options, deadline: left });
    } finally {
      this.#isLoading = false;
      this.#changes.next();
    }
  }

  /**
   * Begins tensors anew that are lost with a worker.
   * @returns how many pieces of each are lost
   */
  #forgetLost(): Map<string, number> {
    const lost = new Map<string, number>();
    for (const [name, state] of this.states) {
      const pieces = state.forgetLost();
      if (pieces === undefined) continue;
      lost.set(name, pieces);
      this.quality.update(state);
    }
    this.#losses += lost.size;
    return lost;
  }

  /** @param isWanted of the pieces that are planned; default all */
  async #runOnce(
    options: LoadOptions,
    isWanted: (piece: PlannedPiece) => boolean = () => true,
  ): Promise<void> {
    const target: LoadTarget = {
      states: this.states,
      budget: this.#budget,
      unsettled: this.#unsettled,
      quality: this.quality,
      fetched: this.#fetched,
      onBytes: (bytes) => {
        this.#fetched += bytes;
      },
      onProgress: (progress) => this.#progress.next(progress),
      isObserved: () => this.#progress.observed,
      onBetterTensor: (state) => {
        this.updates.announce(state, options);
        // Told of each piece: to find that nobody listens takes RxJS longer.
        if (this.#changes.observed) this.#changes.next();
      },
    };
    const limited = { ...options, limits: { ...this.#limits, ...options.limits } };
    const load = new Load(this.plan(limited).filter(isWanted), target, limited);
    this.#load = load;
    if (this.#paused) load.pause();
    try {
      await load.run();
    } finally {
      this.#load = undefined;
      // What was held of a tensor may have turned out to be damaged.
      for (const state of this.#unsettled) this.quality.update(state);
    }
    await this.updates.emit(options);
  }
}

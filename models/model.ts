import { type Observable, Subject } from 'rxjs';
import { nextTask } from '../src/abort.js';
import { Closeable } from '../src/closeable.js';
import { ArgumentError, UnsupportedError } from '../src/errors.js';
import type { SafetensorsDType } from '../src/safetensors/header.js';
import type { AbortOptions } from '../src/source.js';
import { assertTensorFits, type Tensor } from '../src/tensor/tensor.js';
import { poolOf, type WorkersOption } from '../workers/pool.js';
import { LoadRun } from './fetchPieces.js';
import type { LoadableTensor, ModelContent } from './inputs/content.js';
import { checkRows } from './inputs/wholeTensor.js';
import { latestStream } from './latestStream.js';
import { type PlannedPiece, type PlanOptions, planPieces } from './planning.js';
import type { ModelProgress } from './progress.js';
import { ModelQuality } from './quality.js';
import { type LoadedTensor, type OutputOptions, type OutputType, TensorState } from './tensorState.js';
import { Throughput } from './throughput.js';

/**
 * With `workers`, tensors in fragments are decoded by threads of their own, once: when all of their fragments are there,
 * or at the end of the load. Between, `updates$` has nothing of them, and the quality in the progress stands still.
 */
export interface LoadOptions<A extends OutputType = OutputType>
  extends PlanOptions,
    OutputOptions<A>,
    AbortOptions,
    WorkersOption {
  /** Milliseconds from now: the load ends with the best quality that the throughput can bring by then. */
  readonly deadline?: number | undefined;
  /** Largest tensor to allocate, in bytes. Default 2^30 (1 GiB). */
  readonly maxBytes?: number | undefined;
  readonly onProgress?: ((progress: ModelProgress) => void) | undefined;
}

/** A tensor of a model, loaded or not. */
export interface ModelTensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly byteLength: number;
}

/** Requests at a time where a load takes more than one. */
const LANES = 4;

/**
 * A model that can be loaded to any quality, as often as wanted: what is there is never fetched again. Made by
 * `openModel`.
 */
export class Model extends Closeable {
  /** What the model comes from: fragments of a model file, a plain safetensors file, or a directory of HCT files. */
  readonly format: ModelContent['format'];
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly ModelTensorInfo[];
  /** How far the load under way is, at every piece that arrives. */
  readonly progress$: Observable<ModelProgress>;
  /**
   * Each tensor when it has become better. Arrays are made only while somebody listens; when tensors get better faster
   * than the listener takes them, the steps between are skipped.
   */
  readonly updates$: Observable<LoadedTensor<OutputType>>;
  readonly #content: ModelContent;
  readonly #states: ReadonlyMap<string, TensorState>;
  readonly #quality: ModelQuality;
  readonly #progress = new Subject<ModelProgress>();
  readonly #updates = new Subject<LoadedTensor<OutputType>>();
  /** The load under way; the next one waits for it. */
  #run: LoadRun | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #pausedBefore = false;
  readonly #better = new Set<TensorState>();

  constructor(content: ModelContent) {
    super();
    this.#content = content;
    this.format = content.format;
    this.metadata = content.metadata;
    this.tensors = content.tensors;
    this.#states = new Map(content.tensors.map((tensor) => [tensor.name, new TensorState(tensor)]));
    this.#quality = new ModelQuality(this.#states.values());
    this.progress$ = this.#progress.asObservable();
    this.updates$ = this.#updates.asObservable();
  }

  /** True cosine similarity of what is there with the whole model: the mean over its elements. */
  get quality(): number {
    return this.#quality.whole;
  }

  /**
   * Loads the model, or chosen tensors, up to a quality. Loads of one model follow each other.
   *
   * @returns the tensors asked for, as far as they are there
   * @throws ArgumentError for names that the model does not have; LimitError; SourceError, ChecksumError, FormatError;
   *   the reason of `signal` when it is aborted. What had been loaded stays, and the next load goes on from there.
   */
  async load<A extends OutputType = 'F32'>(
    options: LoadOptions<A> = {},
  ): Promise<ReadonlyMap<string, LoadedTensor<A>>> {
    await this.#inTurn(() => this.#load(options), options.signal);
    const names = options.tensors ?? this.tensors.map(({ name }) => name);
    const loaded = names.map((name) => [name, this.#state(name).read(options)] as const);
    return new Map(loaded.filter((entry): entry is [string, LoadedTensor<A>] => entry[1] !== undefined));
  }

  /** One tensor. Where a load is under way, it is moved to the front. */
  async tensor<A extends OutputType = 'F32'>(
    name: string,
    options: Omit<LoadOptions<A>, 'tensors'> = {},
  ): Promise<LoadedTensor<A>> {
    this.#state(name);
    this.prioritize([name]);
    const loaded = await this.load({ ...options, tensors: [name] });
    const tensor = loaded.get(name);
    if (tensor === undefined)
      throw new ArgumentError('quality too low for anything of this tensor', { name });
    return tensor;
  }

  /**
   * Rows `start` (inclusive) to `end` (exclusive) along the first dimension, in the tensor's own dtype: read without the
   * rest of the tensor, unless that is there.
   * @throws UnsupportedError for tensors that are stored as fragments, while they are not complete
   */
  async rows(name: string, start: number, end: number, options: AbortOptions = {}): Promise<Tensor> {
    const state = this.#state(name);
    const { shape, dtype, readRows } = state.tensor;
    checkRows(name, shape[0], start, end);
    if (state.complete) {
      const { data } = state.read({ as: 'source' })!;
      const perRow = shape[0] === 0 ? 0 : (data as Uint8Array).length / shape[0]!;
      const part = (data as Uint8Array).subarray(start * perRow, end * perRow);
      return { dtype, shape: [end - start, ...shape.slice(1)], data: part };
    }
    if (readRows === undefined) {
      throw new UnsupportedError('rows of a tensor in fragments: load the tensor first', { name });
    }
    return readRows(start, end, options);
  }

  /** Bytes that a load with these options would fetch now, without the headers that have been read already. */
  plannedBytes(options: PlanOptions = {}): number {
    return this.#plan(options).reduce((sum, { length }) => sum + length, 0);
  }

  /** Stops reading, with connections left open as long as the server allows; what breaks meanwhile is resumed. */
  pause(): void {
    this.#pausedBefore = true;
    this.#run?.pause();
  }

  resume(): void {
    this.#pausedBefore = false;
    this.#run?.resume();
  }

  /** Moves tensors to the front of the load under way, in this order. */
  prioritize(names: readonly string[]): void {
    const order = names.map((name) => this.#state(name).tensor);
    const rank = (tensor: LoadableTensor) => (order.includes(tensor) ? order.indexOf(tensor) : order.length);
    this.#run?.reorder((queue) => [...queue].sort((a, b) => rank(a.tensor) - rank(b.tensor)));
  }

  /** `progress$` as a stream: the latest state each time its reader asks. */
  progressStream(): ReadableStream<ModelProgress> {
    return latestStream(this.progress$);
  }

  /** `updates$` as a stream: the latest state of each tensor when its reader asks. */
  updatesStream(): ReadableStream<LoadedTensor<OutputType>> {
    return latestStream(this.updates$, ({ name }) => name);
  }

  /** Closes the files and connections behind the model and ends the observables; arrays that were given out stay. */
  async close(): Promise<void> {
    this.#run?.finish();
    await this.#turn;
    this.#progress.complete();
    this.#updates.complete();
    await this.#content.close();
  }

  #state(name: string): TensorState {
    const state = this.#states.get(name);
    if (state === undefined) throw new ArgumentError('no tensor of this name in the model', { name });
    return state;
  }

  #plan(options: PlanOptions): PlannedPiece[] {
    const isLoaded = ({ name }: LoadableTensor, piece: number) => this.#state(name).has(piece);
    return planPieces(this.#content.tensors, options, isLoaded);
  }

  async #inTurn(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#turn.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#turn = turn.catch(() => {});
    await turn;
  }

  async #load(options: LoadOptions): Promise<void> {
    const { deadline, maxBytes, onProgress } = options;
    const pieces = this.#plan(options);
    for (const { tensor, length } of pieces) {
      assertTensorFits(Math.max(tensor.byteLength, length), maxBytes, tensor.name);
    }
    const totalBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    const throughput = new Throughput();
    let bytes = 0;
    const report = () => {
      const progress = this.#progressAt(bytes, totalBytes, throughput);
      this.#progress.next(progress);
      onProgress?.(progress);
    };
    const pool = poolOf(options.workers);
    const pending: Promise<void>[] = [];
    const better = (state: TensorState) => {
      this.#quality.update(state);
      report();
      this.#announce(state, options);
    };
    const run = new LoadRun(pieces, {
      signal: options.signal ?? new AbortController().signal,
      lanes: options.strategy === 'scan' || options.tensors === undefined ? 1 : LANES,
      onBytes(more) {
        bytes += more;
        throughput.add(more);
        report();
      },
      goOn: ({ length }) =>
        deadline === undefined || throughput.elapsed + (throughput.timeFor(length) ?? 0) <= deadline,
      onPiece: async ({ tensor, piece }, content) => {
        const state = this.#state(tensor.name);
        const added = state.add(piece, content, pool).then(() => better(state));
        // Workers decode while the next pieces come; their errors end the load.
        if (pool === undefined) await added;
        else pending.push(added.catch((error) => run.fail(error)));
      },
    });
    const timer = deadline === undefined ? undefined : setTimeout(() => run.finish(), deadline);
    this.#run = run;
    if (this.#pausedBefore) run.pause();
    try {
      await run.run();
    } finally {
      clearTimeout(timer);
      this.#run = undefined;
      await Promise.all(pending);
    }
    if (pool !== undefined) {
      const touched = new Set(pieces.map(({ tensor }) => this.#state(tensor.name)));
      await Promise.all(Array.from(touched, (state) => state.settle().then(() => better(state))));
    }
    this.#emitUpdates(options);
  }

  #progressAt(bytes: number, totalBytes: number, throughput: Throughput): ModelProgress {
    const { whole: quality, qualities, ready } = this.#quality;
    const remainingMs = throughput.timeFor(Math.max(0, totalBytes - bytes));
    return { bytes, totalBytes, ready, tensors: this.tensors.length, quality, qualities, remainingMs };
  }

  /** Notes that a tensor got better; arrays are made a task later, once for all pieces that have come by then. */
  #announce(state: TensorState, options: OutputOptions): void {
    if (!this.#updates.observed) return;
    if (this.#better.size === 0) void nextTask().then(() => this.#emitUpdates(options));
    this.#better.add(state);
  }

  #emitUpdates(options: OutputOptions): void {
    for (const state of this.#better) {
      this.#better.delete(state);
      const tensor = state.read(options);
      if (tensor !== undefined) this.#updates.next(tensor);
    }
  }
}

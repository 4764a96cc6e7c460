import type { Observable } from 'rxjs';
import { Closeable } from '../platform/closeable.js';
import { type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import type { LimitsOption } from '../src/checks/limits.js';
import { check, checkOptions, listOf, text } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import type { SafetensorsDType } from '../src/safetensors/header.js';
import type { Tensor } from '../src/tensor/tensor.js';
import type { ModelContent } from './inputs/content.js';
import { latestStream } from './latestStream.js';
import { LOAD_RULES, type LoadOptions } from './load.js';
import { closedError, ENDED } from './loadQueue.js';
import { type ImprovingLoad, ModelLoads } from './modelLoads.js';
import type { LoadedTensor, OutputType } from './output.js';
import type { PlainFile, PlainFileOptions } from './plain/plainFile.js';
import { isOwn, PLAN_RULES, type PlanOptions } from './planning.js';
import type { ModelProgress } from './progress.js';
import { observe, SNAPSHOT_RULES, snapshots } from './snapshots.js';
import type { ModelSnapshot, SnapshotOptions } from './takeSnapshots.js';
import type { TensorState } from './tensorState.js';

/** A tensor of a model, loaded or not. */
export interface ModelTensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly byteLength: number;
}

/** A model that can be loaded to any quality, repeatedly: no byte is fetched twice. Created by `openModel`. */
export class Model extends Closeable {
  /**
   * The format of the model: a model file of fragments, plain safetensors, a directory of HCT files, a NumPy file, ONNX, GGUF, a zip
   * archive of PyTorch or NumPy, or the `model.json` of TensorFlow.js.
   */
  readonly format: ModelContent['format'];
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly ModelTensorInfo[];
  /** Names of the plain files that it was made of, or is, which {@link file} gives; none for NumPy files. */
  readonly files: readonly string[];
  /** The progress of the loads, at every piece that arrives: it goes on from one load to the next. */
  readonly progress$: Observable<ModelProgress>;
  /**
   * Each tensor when it has improved. Arrays are made only while there are subscribers; if tensors improve faster than
   * a subscriber takes them, intermediate states are skipped.
   */
  readonly updates$: Observable<LoadedTensor<OutputType>>;
  /** {@link snapshots} with its defaults, for each subscriber. */
  readonly snapshots$: Observable<ModelSnapshot>;
  readonly #content: ModelContent;
  readonly #limits: LimitsOption['limits'];
  readonly #loads: ModelLoads;
  /** Ends what files of the model are being read. */
  readonly #ended = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(content: ModelContent, { limits }: LimitsOption) {
    super();
    this.#content = content;
    this.#limits = limits;
    this.#loads = new ModelLoads(content.tensors, { limits });
    this.tensors = content.tensors.filter(isOwn);
    this.format = content.format;
    this.metadata = content.metadata;
    this.files = (content.files ?? []).map(({ name }) => name);
    this.progress$ = this.#loads.progress$;
    this.updates$ = this.#loads.updates.all$;
    this.snapshots$ = observe((signal) => this.snapshots({ signal }));
  }

  /**
   * True cosine similarity of the loaded tensors with the whole model: their mean, where a tensor counts by its weight in
   * the model file, or else by its shape (docs/tasks.md).
   */
  get quality(): number {
    return this.#loads.quality.whole;
  }

  /**
   * Loads the model, or chosen tensors, up to a quality. Loads of one model follow each other. A load that waits for an
   * earlier one ends at once when its signal aborts, at its deadline, and when the model is closed.
   *
   * @returns the requested tensors, as far as they are loaded
   * @throws ArgumentError for names that the model does not have, and when it is closed; LimitError; SourceError, ChecksumError, FormatError;
   *   the reason of `signal` when it is aborted. What was loaded before stays, and the next load continues from there.
   */
  async load<A extends OutputType = 'F32'>(
    options: LoadOptions<A> = {},
  ): Promise<ReadonlyMap<string, LoadedTensor<A>>> {
    checkOptions<LoadOptions>(options, LOAD_RULES);
    return this.#loads.load(options);
  }

  /** Loads one tensor. If a load is running, it moves to the front. */
  async tensor<A extends OutputType = 'F32'>(
    name: string,
    options: Omit<LoadOptions<A>, 'tensors'> = {},
  ): Promise<LoadedTensor<A>> {
    checkOptions<LoadOptions>(options, LOAD_RULES);
    this.prioritize([name]);
    const loaded = await this.load({ ...options, tensors: [name] });
    const tensor = loaded.get(name);
    if (tensor === undefined) {
      const [most] = this.#state(name).tensor.pieces;
      const reason =
        most === undefined
          ? 'its file ends'
          : this.#closed === undefined
            ? 'the deadline came'
            : 'the model was closed';
      throw new ArgumentError(`Cannot return the tensor: ${reason} before its first numbers`, { name });
    }
    return tensor;
  }

  /**
   * Rows `start` (inclusive) to `end` (exclusive) along the first dimension, in the tensor's own dtype: read without
   * the rest of the tensor, unless that is loaded.
   * @throws UnsupportedError for tensors that are stored as fragments, while they are not complete, unless they are small
   */
  async rows(name: string, start: number, end: number, options: AbortOptions = {}): Promise<Tensor> {
    const state = this.#state(name);
    checkAbort(options);
    const { readRows } = await import('./rows.js');
    const reading = readRows(state, start, end, (read) => this.#loads.read(read, options));
    return reading.catch((error) => {
      throw error === ENDED ? closedError() : error;
    });
  }

  /**
   * The file that the model was made of, at a quality: as a source of bytes, and as responses of a server. A plain safetensors
   * file is given as it is. Of a model of several files, the
   * one of the option `name`. Independent of loads, except that nothing is decoded again that is complete.
   * @throws UnsupportedError for a NumPy file, and a plain file that is opened with `integrity`; ArgumentError for a name that the
   *   model does not have, and when it is closed; SourceError; the reason of `signal`
   */
  async file(options: PlainFileOptions = {}): Promise<PlainFile> {
    // Loaded on demand: most pages load tensors.
    const { openPlainFile } = await import('./plain/plainFile.js');
    if (this.#closed !== undefined) throw closedError();
    return openPlainFile(this.#content, this.#loads.states, options, this.#limits, this.#ended.signal);
  }

  /** Bytes that a load with these options would add now. Those that came when the model was opened are not fetched again. */
  plannedBytes(options: PlanOptions = {}): number {
    return this.#loads.plan(checkOptions(options, PLAN_RULES)).reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Consistent sets of all tensors for inference while the model loads: the first when something of every tensor has been
   * loaded, then one each time that the whole has become better by `minGain`, and one at the end of each load that has
   * improved anything. They end with the complete model, or when the model is closed. Loads are started by `load`.
   * @throws ArgumentError; from the iteration, the reason of `signal`
   */
  snapshots<A extends OutputType = 'F32'>(
    options: SnapshotOptions<A> = {},
  ): AsyncGenerator<ModelSnapshot<A>, void, undefined> {
    checkOptions<SnapshotOptions>(options, SNAPSHOT_RULES);
    return snapshots(this.#loads.improving([...this.#loads.states.values()]), options);
  }

  /**
   * The chosen tensors, and a load that reads none of them.
   * @internal For adapters.
   */
  improving(names: readonly string[]): ImprovingLoad {
    return this.#loads.improvingLoad(names.map((name) => this.#state(name)));
  }

  /** Stops reading. Connections stay open as long as the server allows; broken ones are resumed. */
  pause(): void {
    this.#loads.pause();
  }

  /** Goes on reading where {@link pause} has stopped. */
  resume(): void {
    this.#loads.resume();
  }

  /** Moves tensors to the front of the current load, in this order. */
  prioritize(names: readonly string[]): void {
    check('names', names, listOf(text));
    this.#loads.prioritize(names.map((name) => this.#state(name)));
  }

  /** `progress$` as a stream: the latest state each time its reader asks. */
  progressStream(): ReadableStream<ModelProgress> {
    return latestStream(this.progress$);
  }

  /** `updates$` as a stream: the latest state of each tensor when its reader asks. */
  updatesStream(): ReadableStream<LoadedTensor<OutputType>> {
    return latestStream(this.updates$, ({ name }) => name);
  }

  /**
   * Closes the files and connections behind the model and ends the observables. Loads under way or waiting end at once,
   * with the tensors that have been read, and those that are complete in the element type that was asked for; arrays that were
   * returned stay valid.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#ended.abort(closedError());
    await this.#loads.close();
    await this.#content.close();
  }

  #state(name: string): TensorState {
    const state = this.#loads.states.get(name);
    if (state === undefined)
      throw new ArgumentError('Cannot find the tensor: no tensor of this name in the model', { name });
    return state;
  }
}

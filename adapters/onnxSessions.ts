import type { Model } from '../models/model.js';
import type { TensorState } from '../models/tensorState.js';
import { allocating, type Limits } from '../src/checks/limits.js';
import { check, checkOptions, object, type Rules } from '../src/checks/options.js';
import { UnsupportedError } from '../src/errors.js';
import type { SafetensorsTensor } from '../src/safetensors/header.js';
import { parseSafetensorsHeader, safetensorsHeaderSize } from '../src/safetensors/parse.js';
import { MODEL, STREAM_RULES, type StreamTensorsOptions, streamTensors } from './streamTensors.js';

/** What is used of the package: it makes sessions. */
export interface OnnxSessions {
  /** Makes sessions of the graph's bytes. */
  readonly InferenceSession: { create(...args: never[]): Promise<OnnxReleasable> };
}

/** What is used of a session. */
export interface OnnxReleasable {
  release(): Promise<void>;
}

/** A session of a package. */
type SessionOf<O extends OnnxSessions> = Awaited<ReturnType<O['InferenceSession']['create']>>;

/** The options that it takes. */
type SessionOptionsOf<O extends OnnxSessions> = NonNullable<Parameters<O['InferenceSession']['create']>[1]>;

/** What {@link loadSessions} loads, and how it creates sessions. */
export interface LoadSessionsOptions<O extends OnnxSessions = OnnxSessions> extends StreamTensorsOptions {
  /** The package: `import * as ort from 'onnxruntime-web'`. */
  readonly ort: O;
  /**
   * The URL or path of the graph, or its bytes. Its external data are the safetensors files that the model was made of, by their
   * names.
   */
  readonly graph: string | Uint8Array;
  /** Options of each session: execution providers and the like. */
  readonly sessionOptions?: SessionOptionsOf<O> | undefined;
}

const RULES: Rules<LoadSessionsOptions> = {
  ...STREAM_RULES,
  ort: (ort) =>
    typeof (ort as OnnxSessions | null)?.InferenceSession?.create !== 'function' &&
    'the package onnxruntime-web or onnxruntime-node',
  graph: (graph) => typeof graph !== 'string' && !(graph instanceof Uint8Array) && 'a string or bytes',
  sessionOptions: object,
};

/** A session with the weights as they were when it was made. */
export interface LoadedSession<O extends OnnxSessions = OnnxSessions> {
  /** It is released when the next step of the iteration has made another one; the last one is the consumer's to release. */
  readonly session: SessionOf<O>;
  /** True cosine similarity of its weights with the original, see `Model.quality`. */
  readonly quality: number;
  /** Nothing is missing: it is the last step. */
  readonly complete: boolean;
}

/**
 * Loads a model, and gives sessions of a graph whose external data it is: the first when something of each tensor has come, then one
 * each time that the whole has become usefully better, the last when the load has ended. When a session has been made, the one before
 * is released; at that time, no run of it may be under way. Leaving the iteration ends the load; the last session stays.
 *
 * ```js
 * for await (const { session, quality } of loadSessions(model, { ort, graph: 'model.onnx' })) {
 *   show(await session.run({ images }), quality);
 * }
 * ```
 *
 * @throws UnsupportedError for a NumPy file, and a plain one that is opened with `integrity`; from the iteration, what `Model.load`
 *   and the package throw, and ArgumentError when the load ends before something of each tensor has come
 */
export function loadSessions<O extends OnnxSessions>(
  model: Model,
  options: LoadSessionsOptions<O>,
): AsyncGenerator<LoadedSession<O>, void, undefined> {
  check('model', model, MODEL);
  checkOptions<LoadSessionsOptions<O>>(options, RULES as Rules<LoadSessionsOptions<O>>);
  check('ort', options.ort, RULES.ort);
  check('graph', options.graph, RULES.graph);
  if (model.files.length === 0) {
    throw new UnsupportedError('Cannot make external data: the model has no safetensors file', {
      actual: model.format,
    });
  }
  return makeSessions(model, options);
}

async function* makeSessions<O extends OnnxSessions>(
  model: Model,
  { ort, graph, sessionOptions, ...stream }: LoadSessionsOptions<O>,
): AsyncGenerator<LoadedSession<O>, void, undefined> {
  const { InferenceSession } = ort as unknown as {
    readonly InferenceSession: { create(graph: string | Uint8Array, options: object): Promise<SessionOf<O>> };
  };
  const files: ExternalFile[] = [];
  for (const name of model.files) files.push(await openExternal(model, name, stream));
  const names = files.flatMap(({ tensors }) => [...tensors.keys()]);
  const placeOf = (name: string) => files.find(({ tensors }) => tensors.has(name))?.placeOf(name);
  const read = (state: TensorState, signal: AbortSignal) =>
    state.read({ as: 'source', signal, out: ({ name }) => placeOf(name) });
  let last: OnnxReleasable | undefined;
  for await (const improvement of streamTensors(model, names, stream, read)) {
    const externalData = files.map(({ path, data }) => ({ path, data }));
    const options = { ...(sessionOptions as object | undefined), externalData };
    const session = await InferenceSession.create(graph, options);
    try {
      await last?.release();
    } catch (error) {
      // Nobody else knows of it.
      await session.release().catch(() => {});
      throw error;
    }
    last = session;
    yield { session, ...improvement };
  }
}

async function openExternal(
  model: Model,
  path: string,
  { signal, limits }: StreamTensorsOptions,
): Promise<ExternalFile> {
  const file = await model.file({ name: path, quality: 'loaded', limits });
  const length = safetensorsHeaderSize(await file.read(0, 8, { signal }), { limits });
  return new ExternalFile(path, file.size, await file.read(0, length, { signal }), limits);
}

/** A safetensors file in memory, with zeros where nothing has been read. */
class ExternalFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly #size: number;
  readonly #header: Uint8Array;
  #data: Uint8Array | undefined;

  constructor(path: string, size: number, header: Uint8Array, limits: Limits | undefined) {
    const { tensors } = parseSafetensorsHeader(header, { limits, fileSize: size });
    this.path = path;
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.#size = size;
    this.#header = header;
  }

  /** Allocated when the first tensor is read: a load has checked the limits by then. */
  get data(): Uint8Array {
    if (this.#data === undefined) {
      this.#data = allocating(() => new Uint8Array(this.#size));
      this.#data.set(this.#header);
    }
    return this.#data;
  }

  placeOf(name: string): Uint8Array {
    const { offset, byteLength } = this.tensors.get(name)!;
    return this.data.subarray(offset, offset + byteLength);
  }
}

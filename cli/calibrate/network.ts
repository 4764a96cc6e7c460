import { ONNX_TYPES } from '../../adapters/onnxWeight.js';
import type { CalibratedTensor, EvaluateWeights } from '../../models/file/calibrate.js';
import { isWorthEncoding } from '../../models/file/encodeTensor.js';
import type { ModelSourceFile } from '../../models/file/sourceFiles.js';
import { openModel } from '../../models/openModel.js';
import type { OutputTensor } from '../../models/output.js';
import { readSafetensorsHeader } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import { readChunks } from '../../sources/read.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { allocating } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { DType } from '../../src/tensor/dtype.js';
import { halfToFloat32 } from '../../src/tensor/float.js';
import { fromFloat32 } from '../../src/tensor/numbers.js';
import { type TensorData, viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import { DataError } from '../failure.js';
import { withNeighbour } from '../suggest.js';
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.js';

/** What `calibrate` takes. */
export interface Network {
  readonly tensors: ReadonlyMap<string, CalibratedTensor>;
  /** How many of them it changes. */
  readonly cut: number;
  readonly evaluate: EvaluateWeights;
}

/** The inputs of one run of a network. */
export interface Sample {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, OutputTensor & { readonly data: TensorData }>;
}

export async function readSample(file: string, { signal }: AbortOptions): Promise<Sample> {
  const model = await withNeighbour(file, () => openModel(file, { signal }));
  try {
    return { file, tensors: await model.load({ as: 'source', signal }) };
  } finally {
    await model.close();
  }
}

/** Errors only: what a graph may be warned of says nothing about its weights, and would be said for each session. */
const LOG_ERRORS = 3;

/**
 * A network that ONNX Runtime evaluates, each time in a session of its own: the external data that it is given are the
 * file of the weights, in memory.
 */
export async function openNetwork(
  ort: OnnxRuntime,
  [graphFile, weightsFile]: readonly [graph: ModelSourceFile, weights: ModelSourceFile],
  samples: readonly Sample[],
  options: AbortOptions,
): Promise<Network> {
  const graph = await wholeOf(graphFile.source, options);
  const data = await wholeOf(weightsFile.source, options);
  const sessionOptions = {
    externalData: [{ path: weightsFile.name, data }],
    logSeverityLevel: LOG_ERRORS,
  };
  const { tensors: declared } = await readSafetensorsHeader(bytesSource(data), options);
  const placed = declared.map((tensor) => ({
    ...tensor,
    place: data.subarray(tensor.offset, tensor.offset + tensor.byteLength),
  }));
  const cut = placed.filter(isWorthEncoding);
  const tensors = new Map<string, CalibratedTensor>(
    placed.map(({ name, dtype, shape, place }) => {
      const own = { dtype, shape, data: viewElements(dtype, place) };
      // Of F32, it is a view of the file: no second copy.
      const isCut = isWorthEncoding(own);
      return [name, { shape, data: (isCut ? toFloat32(own) : own.data) as Float32Array }];
    }),
  );
  const evaluate: EvaluateWeights = async (weights, { signal }) => {
    const changed = cut.filter(({ name }) => weights.get(name) !== tensors.get(name)!.data);
    const kept = changed.map(({ place }) => place.slice());
    for (const { name, dtype, place } of changed) {
      place.set(viewBytes(fromFloat32(dtype as DType, weights.get(name)!)));
    }
    try {
      const session = await running('', ort.InferenceSession.create(graph, sessionOptions));
      try {
        const outputs: ArrayLike<number>[][] = [];
        for (const sample of samples) {
          signal?.throwIfAborted();
          outputs.push(await outputsOf(ort, session, sample));
        }
        return joined(outputs.flat());
      } finally {
        await session.release();
      }
    } finally {
      for (const [i, { place }] of changed.entries()) place.set(kept[i]!);
    }
  };
  return { tensors, cut: cut.length, evaluate };
}

async function wholeOf(source: RandomAccessSource, options: AbortOptions): Promise<Uint8Array> {
  const size = source.size!;
  const bytes = allocating(() => new Uint8Array(size));
  let filled = 0;
  for await (const chunk of readChunks(source, 0, size, options)) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** The floating-point outputs, in the order of the graph: others are decisions, which change late. */
async function outputsOf(
  ort: OnnxRuntime,
  session: OnnxSession,
  sample: Sample,
): Promise<ArrayLike<number>[]> {
  const results = await running(` with ${quote(sample.file)}`, session.run(feedsOf(ort, session, sample)));
  const outputs = session.outputNames
    .map((name) => numbersOf(results[name]!))
    .filter((numbers) => numbers !== undefined);
  if (outputs.length > 0) return outputs;
  const others = session.outputNames.map((name) => `${quote(name)} (${results[name]!.type})`).join(', ');
  throw new DataError(`Cannot calibrate the network: no output has floating-point numbers, but ${others}`);
}

/** @throws DataError for inputs that are not those of the graph */
function feedsOf(
  { Tensor }: OnnxRuntime,
  { inputNames }: OnnxSession,
  { file, tensors }: Sample,
): Record<string, OnnxTensor> {
  const [input, ...others] = inputNames;
  const isOnly = input !== undefined && others.length === 0 && tensors.size === 1;
  const given = isOnly ? new Map([[input, [...tensors.values()][0]!]]) : tensors;
  const wrong = (what: string) =>
    new DataError(
      `Cannot use the samples of ${quote(file)}: ${what}; the inputs of the network are ${inputNames.map(quote).join(', ')}`,
    );
  const missing = inputNames.filter((name) => !given.has(name));
  if (missing.length > 0) throw wrong(`it lacks ${missing.map(quote).join(', ')}`);
  const feeds: Record<string, OnnxTensor> = Object.create(null);
  for (const [name, { dtype, shape, data }] of given) {
    if (!inputNames.includes(name)) throw wrong(`the network has no input ${quote(name)}`);
    const type = ONNX_TYPES[dtype];
    if (type === undefined) throw wrong(`${quote(name)} has elements that cannot be fed (${dtype})`);
    feeds[name] = new Tensor(type, data, shape);
  }
  return feeds;
}

function numbersOf({ type, data }: OnnxTensor): ArrayLike<number> | undefined {
  switch (type) {
    case 'float32':
    case 'float64':
      return data as Float32Array | Float64Array;
    case 'float16':
      return halfToFloat32(viewElements('F16', viewBytes(data)) as Uint16Array);
    default:
      return undefined;
  }
}

function joined(arrays: readonly ArrayLike<number>[]): Float64Array {
  const all = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const array of arrays) {
    all.set(array, filled);
    filled += array.length;
  }
  return all;
}

/** Says what the runtime has been doing when it fails. */
async function running<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new DataError(`Cannot run the network${what}: ${(cause as Error).message}`, { cause });
  }
}

import { type LocatedTensor, readSourceFile } from '../../models/file/sourceFiles.js';
import { fileKind } from '../../src/bytes/fileKind.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { byteLengthOf, DTYPES, type DType, elementCount } from '../../src/tensor/dtype.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import { UsageError } from '../failure.js';
import { openInput, peek, STANDARD, standardInput } from '../files.js';
import type { Progress } from '../progress.js';
import { assertTensors, hint } from '../suggest.js';
import { filesOf, type ModelFiles, openModelInput } from './modelInput.js';
import { npyStreamTensor, npyTensor } from './npyInput.js';

/** A tensor whose bytes are read once, in order. Disposing of it closes its file. */
export interface TensorInput extends AsyncDisposable {
  readonly name: string | undefined;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Of `encode`, which takes one tensor or a model. */
const ALL_OF_THEM = '; an output that ends with .holo.safetensors takes all';

export interface TensorChoice {
  /** Of a safetensors file. */
  readonly tensor?: string;
  /** Of raw bytes, both; the dtype alone: to round what is in a NumPy file. */
  readonly dtype?: DType;
  readonly shape?: readonly number[];
}

/** The tensor that a command line names: of a safetensors model or a NumPy file, or raw bytes. */
export async function openTensor(
  names: readonly string[],
  { tensor, dtype, shape }: TensorChoice,
  options: OpenOptions,
): Promise<TensorInput> {
  if (tensor !== undefined && (dtype !== undefined || shape !== undefined)) {
    throw new UsageError('--tensor is for safetensors files, --dtype and --shape for raw bytes');
  }
  if (shape === undefined) return openFileTensor(names, tensor, dtype, options);
  if (dtype === undefined) throw rawNeedsBoth();
  const [name, ...others] = names;
  if (others.length > 0) throw new UsageError('Raw bytes are in one file');
  const raw = { dtype, shape };
  if (name !== STANDARD) return rawTensor(await openInput(name!, options), name!, raw, options);
  const chunks = standardInput().stream(options);
  return { name: undefined, ...raw, byteLength: rawSize(raw), chunks, ...closing() };
}

export interface RawTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

function rawSize({ dtype, shape }: RawTensor): number {
  return byteLengthOf(dtype, elementCount(shape));
}

/** Raw elements in a file. Their number must be that of the shape. */
export async function rawTensor(
  source: RandomAccessSource,
  file: string,
  raw: RawTensor,
  options: OpenOptions,
): Promise<TensorInput> {
  const byteLength = rawSize(raw);
  // A server says the size with the first bytes; they are counted as they come.
  if (source.size !== undefined && source.size !== byteLength) {
    await source.close?.();
    throw new FormatError(`Cannot read the tensor: size of ${raw.dtype}[${raw.shape.join(', ')}]`, {
      name: file,
      expected: byteLength,
      actual: source.size,
    });
  }
  return { name: undefined, ...raw, byteLength, chunks: source.stream(options), ...closing(source) };
}

/** A tensor of a safetensors model, or the array of a NumPy file. */
async function openFileTensor(
  names: readonly string[],
  tensor: string | undefined,
  dtype: DType | undefined,
  options: OpenOptions,
): Promise<TensorInput> {
  let standard = standardInput();
  if (names.length === 1 && names[0] === STANDARD) {
    const { start, input } = await peek(standard, PROBE_SIZE, options);
    if (fileKind(start) === 'NumPy') {
      refuseName(tensor);
      return {
        name: undefined,
        ...(await npyStreamTensor(input.stream(options), dtype, options)),
        ...closing(),
      };
    }
    standard = input;
  }
  const input = await openModelInput(names, options, standard);
  const dispose = { [Symbol.asyncDispose]: () => input[Symbol.asyncDispose]() };
  try {
    if (input.kind === 'file' && fileKind(input.start) === 'NumPy') {
      refuseName(tensor);
      return { name: undefined, ...(await npyTensor(input.source, dtype, options)), ...dispose };
    }
    if (dtype !== undefined) throw rawNeedsBoth();
    const files = await filesOf(input, options);
    return await modelTensor(files, names, tensor, options, ALL_OF_THEM);
  } catch (error) {
    await input[Symbol.asyncDispose]();
    throw error;
  }
}

function rawNeedsBoth(): UsageError {
  return new UsageError('Raw bytes need both --dtype and --shape');
}

function refuseName(tensor: string | undefined): void {
  if (tensor !== undefined) throw new UsageError('--tensor is for safetensors files; this is a NumPy file');
}

/**
 * A tensor of a model of safetensors: the one of this name, or the only one. Disposing of it closes the files.
 * @param instead what else can be done where there are several
 */
export async function modelTensor(
  model: ModelFiles,
  names: readonly string[],
  tensor: string | undefined,
  options: OpenOptions,
  instead = '',
): Promise<TensorInput> {
  const place = tensor === undefined ? undefined : model.index?.fileOf.get(tensor);
  const tensors: LocatedTensor[] = [];
  for (const { name, source, layout } of model.files) {
    if (place !== undefined && place !== name) continue;
    const { header } = await readSourceFile({ name, source, layout }, options);
    const between = new Set(layout?.filter((part) => part.isBetween).map((part) => part.name));
    for (const found of header.tensors) if (!between.has(found.name)) tensors.push({ ...found, source });
  }
  const found = pick(tensors, tensor, names.join(', '), instead);
  const { name, source, offset, byteLength, shape } = found;
  const dtype = dtypeOf(found);
  const chunks = source.stream({ start: offset, end: offset + byteLength, signal: options.signal });
  const dispose = () => model[Symbol.asyncDispose]();
  return { name, dtype, shape, byteLength, chunks, [Symbol.asyncDispose]: dispose };
}

function pick(
  tensors: readonly LocatedTensor[],
  name: string | undefined,
  path: string,
  instead: string,
): LocatedTensor {
  const names = tensors.map((tensor) => tensor.name);
  if (name === undefined) {
    if (tensors.length === 1) return tensors[0]!;
    throw new UsageError(
      `${quote(path)} holds ${tensors.length} tensors: choose one by --tensor (${hint(undefined, names)}${instead})`,
    );
  }
  assertTensors([name], names);
  return tensors.find((tensor) => tensor.name === name)!;
}

/** @throws UnsupportedError for a dtype that our formats have no code for */
function dtypeOf({ name, dtype }: SafetensorsTensor): DType {
  const found = DTYPES.find((known) => known === dtype);
  if (found === undefined) {
    const expected = DTYPES.join(', ');
    throw new UnsupportedError('Cannot encode the tensor: HCT and HoloTensor have no such dtype', {
      name,
      expected,
      actual: dtype,
    });
  }
  return found;
}

export function closing(source?: RandomAccessSource): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => source?.close?.() };
}

/** The whole tensor in memory. */
export async function collectInput(
  { dtype, shape, byteLength, chunks }: TensorInput,
  progress: Progress,
): Promise<Tensor<DType>> {
  const bytes = new Uint8Array(byteLength);
  let filled = 0;
  for await (const chunk of chunks) {
    if (filled + chunk.length > byteLength) throw tooMany(byteLength);
    bytes.set(chunk, filled);
    filled += chunk.length;
    progress.advance(chunk.length);
  }
  if (filled < byteLength) {
    throw new FormatError('Cannot read the tensor: fewer bytes than its shape holds', {
      expected: byteLength,
      actual: filled,
    });
  }
  return { dtype, shape, data: viewElements(dtype, bytes) };
}

function tooMany(expected: number): FormatError {
  return new FormatError('Cannot read the tensor: more bytes than its shape holds', { expected });
}

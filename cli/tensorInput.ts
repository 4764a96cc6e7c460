import { readPlainHeader } from '../models/file/plainHeader.js';
import { ArgumentError, FormatError, UnsupportedError } from '../src/errors.js';
import type { SafetensorsTensor } from '../src/safetensors/header.js';
import { quote } from '../src/show.js';
import type { RandomAccessSource } from '../src/source.js';
import { byteLengthOf, DTYPES, type DType, elementCount } from '../src/tensor/dtype.js';
import { type Tensor, viewElements } from '../src/tensor/tensor.js';
import { UsageError } from './failure.js';
import { openInput, STANDARD, standardInput } from './files.js';
import type { Progress } from './progress.js';

/** A tensor whose bytes are read once, in order. Disposing of it closes its file. */
export interface TensorInput extends AsyncDisposable {
  readonly name: string | undefined;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface TensorChoice {
  /** Of a safetensors file. */
  readonly tensor?: string;
  /** Of raw bytes, both. */
  readonly dtype?: DType;
  readonly shape?: readonly number[];
}

/** The tensor that a command line names: of a safetensors file, or raw bytes. */
export async function openTensor(
  path: string,
  { tensor, dtype, shape }: TensorChoice,
  signal: AbortSignal,
): Promise<TensorInput> {
  if (dtype === undefined && shape === undefined) return openSafetensorsTensor(path, tensor, signal);
  if (tensor !== undefined) {
    throw new UsageError('--tensor is for safetensors files, --dtype and --shape for raw bytes');
  }
  if (dtype === undefined || shape === undefined) {
    throw new UsageError('Raw bytes need both --dtype and --shape');
  }
  return openRawTensor(path, { dtype, shape }, signal);
}

/** Raw elements in a file or on standard input. Their number must be that of the shape. */
export async function openRawTensor(
  path: string,
  { dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] },
  signal: AbortSignal,
): Promise<TensorInput> {
  const byteLength = byteLengthOf(dtype, elementCount(shape));
  if (path === STANDARD) {
    const chunks = standardInput().stream({ signal });
    return { name: undefined, dtype, shape, byteLength, chunks, ...closing() };
  }
  const source = await openInput(path, signal);
  if (source.size !== byteLength) {
    await source.close?.();
    throw new FormatError(`Cannot read the tensor: size of ${dtype}[${shape.join(', ')}]`, {
      name: path,
      expected: byteLength,
      actual: source.size,
    });
  }
  return { name: undefined, dtype, shape, byteLength, chunks: source.stream({ signal }), ...closing(source) };
}

/** A tensor of a safetensors file: the one of this name, or the only one. */
export async function openSafetensorsTensor(
  path: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<TensorInput> {
  const source = await openInput(path, signal);
  try {
    const { tensors } = await readPlainHeader(source, { signal });
    const tensor = pick(tensors, name, path);
    const { offset, byteLength, shape } = tensor;
    const dtype = dtypeOf(tensor);
    const chunks = source.stream({ start: offset, end: offset + byteLength, signal });
    return { name: tensor.name, dtype, shape, byteLength, chunks, ...closing(source) };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

function pick(
  tensors: readonly SafetensorsTensor[],
  name: string | undefined,
  path: string,
): SafetensorsTensor {
  if (name === undefined) {
    if (tensors.length === 1) return tensors[0]!;
    throw new UsageError(
      `${quote(path)} holds ${tensors.length} tensors: choose one by --tensor (encode takes all with an output that ends with /)`,
    );
  }
  const found = tensors.find((tensor) => tensor.name === name);
  if (found === undefined)
    throw new ArgumentError('Cannot read the tensor: no tensor of this name in the file', { name });
  return found;
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

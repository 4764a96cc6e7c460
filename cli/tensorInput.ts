import { HctDecompressStream } from '../operators/hct/decompressHct.js';
import { HctParserStream } from '../operators/hct/parseHct.js';
import { HctVerifyStream } from '../operators/hct/verifyHct.js';
import { byteLengthOf, DTYPES, type DType, elementCount } from '../src/dtype.js';
import { ArgumentError, FormatError, UnsupportedError } from '../src/errors.js';
import { type HctDecodedPart, HctReader, hasShapeInExtension } from '../src/hct/index.js';
import { readSafetensorsHeader, type SafetensorsTensor } from '../src/safetensors/index.js';
import type { RandomAccessSource } from '../src/source.js';
import { UsageError } from './failure.js';
import { openInput, STANDARD, standardInput } from './input.js';

/** A tensor whose bytes are read once, in order; closes its file when disposed of. */
export interface TensorInput extends AsyncDisposable {
  readonly name: string | undefined;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Bytes that are read at a time. */
const CHUNK_SIZE = 2 ** 20;

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
    throw new FormatError(`size of ${dtype}[${shape.join(', ')}]`, {
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
    const { tensors } = await readSafetensorsHeader(source, { signal });
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

/** @throws UnsupportedError for a dtype that HCT has no code for */
function dtypeOf(tensor: SafetensorsTensor): DType {
  const dtype = DTYPES.find((known) => known === tensor.dtype);
  if (dtype === undefined) {
    throw new UnsupportedError('HCT has no such dtype', {
      name: tensor.name,
      expected: DTYPES.join(', '),
      actual: tensor.dtype,
    });
  }
  return dtype;
}

function pick(
  tensors: readonly SafetensorsTensor[],
  name: string | undefined,
  path: string,
): SafetensorsTensor {
  if (name === undefined) {
    if (tensors.length === 1) return tensors[0]!;
    throw new UsageError(
      `${path} holds ${tensors.length} tensors: choose one by --tensor, or all by an output that ends with /`,
    );
  }
  const found = tensors.find((tensor) => tensor.name === name);
  if (found === undefined) throw new ArgumentError('no tensor of this name in the file', { name });
  return found;
}

/** The tensor of an HCT file, decoded and verified while it is read; standard input is not kept in memory. */
export async function openHctTensor(path: string, signal: AbortSignal): Promise<TensorInput> {
  if (path === STANDARD) return openHctStream(standardInput().stream({ signal }));
  const source = await openInput(path, signal);
  try {
    const reader = await HctReader.open(source, { signal });
    const { dtype, originalSize } = reader.header;
    const { name, shape } = reader;
    const chunks = readChunks(reader, signal);
    return { name, dtype, shape, byteLength: originalSize, chunks, ...closing(source) };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

async function* readChunks(reader: HctReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { originalSize } = reader.header;
  for (let at = 0; at < originalSize; at += CHUNK_SIZE) {
    yield await reader.read(at, Math.min(at + CHUNK_SIZE, originalSize), { signal });
  }
}

async function openHctStream(stream: ReadableStream<Uint8Array>): Promise<TensorInput> {
  const parts = stream
    .pipeThrough(new HctParserStream())
    .pipeThrough(new HctVerifyStream())
    .pipeThrough(new HctDecompressStream())
    [Symbol.asyncIterator]();
  const { value: start } = await parts.next();
  if (start?.kind !== 'start') throw new FormatError('not an HCT file', { name: 'standard input' });
  const { header } = start;
  if (hasShapeInExtension(header)) {
    throw new UnsupportedError('this HCT file has its shape at its end: decode it from a file, not a pipe');
  }
  const { dtype, shape, originalSize } = header;
  return { name: undefined, dtype, shape, byteLength: originalSize, chunks: dataOf(parts), ...closing() };
}

async function* dataOf(parts: AsyncIterableIterator<HctDecodedPart>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) if (part.kind === 'data') yield part.bytes;
}

function closing(source?: RandomAccessSource): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => source?.close?.() };
}

import { StageStream } from '../../operators/stageStream.js';
import { NpyReader } from '../../readers/npyReader.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import { NpyParser, type NpyPart, type NpyStart } from '../../src/npy/stages.js';
import type { RandomAccessSource } from '../../src/source.js';
import { byteLengthOf, DTYPES, type DType, elementCount } from '../../src/tensor/dtype.js';
import { viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import { UsageError } from '../failure.js';

/** An array whose elements are read once, in order, in a dtype of our formats. */
export interface NpyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * The array of a NumPy file.
 * @param dtype F32 rounds elements that our formats have no dtype for; without it, elements that F32 cannot hold are an
 *   error
 */
export async function npyTensor(
  source: RandomAccessSource,
  dtype: DType | undefined,
  options: OpenOptions,
): Promise<NpyTensor> {
  const reader = await NpyReader.open(source, options);
  return inDtype(reader.header, reader.stream(options), dtype);
}

/** The same of a stream, which is read once. */
export async function npyStreamTensor(
  stream: ReadableStream<Uint8Array>,
  dtype: DType | undefined,
  options: OpenOptions,
): Promise<NpyTensor> {
  const parser = new StageStream(() => new NpyParser({ limits: options.limits }));
  const parts = stream.pipeThrough(parser)[Symbol.asyncIterator]();
  const { value: start } = await parts.next();
  if (start?.kind !== 'start') throw new FormatError('Cannot read the input: it is no NumPy file');
  return inDtype(start, elementsOf(parts), dtype);
}

async function* elementsOf(parts: AsyncIterableIterator<NpyPart>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) if (part.kind === 'data') yield part.bytes;
}

function inDtype(
  { dtype, shape }: Pick<NpyStart, 'dtype' | 'shape'>,
  chunks: AsyncIterable<Uint8Array>,
  wanted: DType | undefined,
): NpyTensor {
  const stored = DTYPES.find((known) => known === dtype);
  if (wanted !== undefined && wanted !== 'F32' && wanted !== stored) {
    throw new UsageError(`--dtype of a NumPy file of ${dtype} is F32`);
  }
  const target = wanted ?? stored ?? 'F32';
  const converted = target === dtype ? chunks : toF32(dtype, chunks, wanted !== undefined);
  return { dtype: target, shape, byteLength: byteLengthOf(target, elementCount(shape)), chunks: converted };
}

/** @throws UnsupportedError for elements that F32 cannot hold, unless they may be rounded */
async function* toF32(
  dtype: string,
  chunks: AsyncIterable<Uint8Array>,
  rounded: boolean,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of chunks) {
    const data = viewElements(dtype, bytes);
    const numbers = toFloat32({ dtype, shape: [data.length], data });
    if (!rounded && !isExact(numbers, data)) {
      const what = `Cannot encode the array: F32 cannot hold all of its ${dtype} elements; round them by --dtype F32`;
      throw new UnsupportedError(what);
    }
    yield viewBytes(numbers);
  }
}

function isExact(numbers: Float32Array, data: ArrayLike<number | bigint>): boolean {
  return numbers.every((number, i) => {
    const element = data[i]!;
    return typeof element === 'bigint' ? BigInt(number) === element : Object.is(number, element);
  });
}

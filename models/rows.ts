/** Rows of tensors, without the rest of them. Loaded on demand, because most pages load tensors. */
import { assertRows, rowsOf } from '../readers/tensorReader.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { withPlace } from '../src/errors/placed.js';
import { ArgumentError, UnsupportedError } from '../src/errors.js';
import { type SafetensorsDType, safetensorsByteLength } from '../src/safetensors/header.js';
import type { RandomAccessSource } from '../src/source.js';
import { type Tensor, viewElements } from '../src/tensor/tensor.js';
import { finished, type PieceDecoder, placeOfTensor } from './inputs/content.js';
import type { TensorState } from './tensorState.js';

/** Runs what reads from the files of the model. */
type Reading = (read: (options: AbortOptions) => Promise<Tensor>) => Promise<Tensor>;

/**
 * Rows of what is loaded, or of the file.
 * @throws ArgumentError for rows that the tensor does not have; UnsupportedError where they cannot be read without the others
 */
export async function readRows(
  state: TensorState,
  start: number,
  end: number,
  reading: Reading,
): Promise<Tensor> {
  const { name, shape, readRows } = state.tensor;
  assertRows(shape, start, end, name);
  if (!state.complete && readRows === undefined) {
    throw new UnsupportedError(
      'Cannot read rows of a tensor in fragments, or of a file that is verified as a whole: load the tensor first',
      { name },
    );
  }
  const read = async (options: AbortOptions) => {
    if (!state.complete) return readRows!(start, end, options);
    // Its dtype is the tensor's own.
    return rowsOf((await state.read({ as: 'source' })) as Tensor, start, end);
  };
  return withPlace(placeOfTensor(state.tensor), () => reading(read));
}

/** A tensor whose elements are stored plain. */
export interface PlainTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Of its first byte in the file. */
  readonly offset: number;
}

export async function readPlainRows(
  { name, dtype, shape, offset }: PlainTensor,
  source: RandomAccessSource,
  start: number,
  end: number,
  options: AbortOptions,
): Promise<Tensor> {
  assertRows(shape, start, end, name);
  const rest = shape.slice(1);
  const rowSize = safetensorsByteLength(dtype, rest);
  if (rowSize === undefined)
    throw new ArgumentError('Cannot read rows of the tensor: they do not begin at bytes', { name });
  const bytes = await source.read(offset + start * rowSize, (end - start) * rowSize, options);
  return { dtype, shape: [end - start, ...rest], data: viewElements(dtype, bytes) };
}

/** Rows of a tensor that is so small that it is read whole. */
export async function readShortRows(
  decoder: PieceDecoder,
  pieces: readonly { readonly offset: number; readonly length: number }[],
  source: RandomAccessSource,
  start: number,
  end: number,
  options: AbortOptions,
): Promise<Tensor> {
  const read = pieces.map(({ offset, length }) => source.read(offset, length, options));
  for (const [piece, bytes] of (await Promise.all(read)).entries()) await decoder.add(piece, bytes, options);
  return rowsOf((await finished(decoder.reconstructingTensor(options), options))!, start, end);
}

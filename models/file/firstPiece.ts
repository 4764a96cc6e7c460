import { ChecksumError, FormatError } from '../../src/errors.js';
import { HOLO_HEADER_SIZE } from '../../src/holotensor/constants.js';
import { parseHoloTensorHeader } from '../../src/holotensor/header.js';
import { type HoloTensorLayout, parseHoloTensorLayout } from '../../src/holotensor/layout.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { elementCount } from '../../src/tensor/dtype.js';
import type { ModelFileTensor } from './modelFile.js';
import { formatHash } from './plan.js';

/** @throws ChecksumError unless the first piece of a tensor is the one that the plan knows */
export function verifyFirstPiece(
  { name, firstPieceHash }: ModelFileTensor,
  bytes: Uint8Array,
  kernels: Pick<Kernels, 'xxh3'>,
): void {
  const actual = kernels.xxh3(bytes);
  if (formatHash(actual) === firstPieceHash) return;
  const expected = BigInt(`0x${firstPieceHash}`);
  throw new ChecksumError('model file: checksum of a tensor', { name, expected, actual });
}

/**
 * Header and index of an encoded tensor.
 * @throws FormatError when they do not belong to the tensor and its pieces
 */
export function parseFirstPiece(tensor: ModelFileTensor, bytes: Uint8Array): HoloTensorLayout {
  const { name, dtype, shape, pieces } = tensor;
  const header = parseHoloTensorHeader(bytes);
  const layout = parseHoloTensorLayout(header, bytes.subarray(HOLO_HEADER_SIZE));
  const fits =
    header.dtype === dtype &&
    elementCount(header.shape) === elementCount(shape) &&
    layout.entries.length === pieces.length - 1 &&
    layout.entries.every(
      ({ index, compressedSize }, i) => index === i && compressedSize === pieces[i + 1]!.length,
    );
  if (!fits) throw new FormatError('model file: header of another tensor', { name });
  return layout;
}

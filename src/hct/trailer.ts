import { FormatError } from '../errors.js';
import { elementCount } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import { FLAG_SHAPE_IN_EXTENSION, FLAG_TENSOR_NAME } from './constants.js';
import type { HctExtension } from './extension.js';
import type { HctHeader } from './header.js';

/** Bytes of per-group scales that belong behind the blocks. The reference sets the flag and does not write them. */
export function groupScalesSize(header: HctHeader, quantization: QuantizationMetadata | undefined): number {
  if (quantization === undefined || !quantization.perGroupScales || quantization.groupSize === 0) return 0;
  return 2 * Math.ceil(elementCount(header.shape) / quantization.groupSize);
}

export function hasExtension(header: HctHeader): boolean {
  return header.version === 2 && (header.flags & (FLAG_TENSOR_NAME | FLAG_SHAPE_IN_EXTENSION)) !== 0;
}

/** The true shape of the tensor: the header's, unless that one could not hold it. */
export function trueShape(header: HctHeader, extension: HctExtension | undefined): readonly number[] {
  if (extension === undefined || (header.flags & FLAG_SHAPE_IN_EXTENSION) === 0) return header.shape;
  const { shape } = extension;
  if (shape === undefined || elementCount(shape) !== elementCount(header.shape)) {
    throw new FormatError('HCT extension: shape', {
      expected: `${elementCount(header.shape)} elements`,
      actual: shape === undefined ? 'none' : `[${shape.join(', ')}]`,
    });
  }
  return shape;
}

import { check } from '../options.js';
import { QUANTIZATION, type QuantizationMetadata, quantizationBytes } from './quantization.js';

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeQuantizationMetadata(metadata: QuantizationMetadata): Uint8Array {
  check('quantization', metadata, QUANTIZATION);
  return quantizationBytes(metadata);
}

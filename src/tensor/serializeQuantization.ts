import { check } from '../checks/options.js';
import { type QuantizationMetadata, quantizationBytes } from './quantization.js';
import { QUANTIZATION } from './quantizationRule.js';

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeQuantizationMetadata(metadata: QuantizationMetadata): Uint8Array {
  check('quantization', metadata, QUANTIZATION);
  return quantizationBytes(metadata);
}

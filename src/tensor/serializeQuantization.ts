import { check, flag, oneOf, type Rule, wholeNumber } from '../options.js';
import { record } from '../rules.js';
import { QUANTIZATION_SCHEMES, type QuantizationMetadata, quantizationBytes } from './quantization.js';

/** The group size is stored in 24 bits. */
const MAX_GROUP_SIZE = 0xffffff;

export const QUANTIZATION: Rule<QuantizationMetadata> = /* @__PURE__ */ record({
  scheme: /* @__PURE__ */ oneOf(QUANTIZATION_SCHEMES),
  perGroupScales: flag,
  scaleBits: /* @__PURE__ */ wholeNumber(0, 0xffff),
  zeroPoint: /* @__PURE__ */ wholeNumber(-128, 127),
  groupSize: /* @__PURE__ */ wholeNumber(0, MAX_GROUP_SIZE),
});

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeQuantizationMetadata(metadata: QuantizationMetadata): Uint8Array {
  check('quantization', metadata, QUANTIZATION);
  return quantizationBytes(metadata);
}

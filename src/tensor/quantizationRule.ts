import { flag, oneOf, type Rule, wholeNumber } from '../checks/options.js';
import { optional, record } from '../checks/rules.js';
import { QUANTIZATION_SCHEMES, type Quantization, type QuantizationMetadata } from './quantization.js';
import { typedArray } from './tensor.js';

/** The group size is stored in 24 bits. */
const MAX_GROUP_SIZE = 0xffffff;

export const QUANTIZATION: Rule<QuantizationMetadata> = /* @__PURE__ */ record({
  scheme: /* @__PURE__ */ oneOf(QUANTIZATION_SCHEMES),
  perGroupScales: flag,
  scaleBits: /* @__PURE__ */ wholeNumber(0, 0xffff),
  zeroPoint: /* @__PURE__ */ wholeNumber(-128, 127),
  groupSize: /* @__PURE__ */ wholeNumber(0, MAX_GROUP_SIZE),
});

export const QUANTIZATION_PARAMETERS: Rule<Quantization> = /* @__PURE__ */ record<Quantization>({
  metadata: QUANTIZATION,
  groupScales: /* @__PURE__ */ optional(/* @__PURE__ */ typedArray<Uint16Array>('Uint16Array')),
});

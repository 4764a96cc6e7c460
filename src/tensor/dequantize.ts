import { check, having, type Rule } from '../checks/options.js';
import { applyQuantization, type DequantizeKernels, type Quantization } from './quantization.js';
import { QUANTIZATION_PARAMETERS } from './quantizationRule.js';
import { typedArray } from './tensor.js';

const KERNELS: Rule<DequantizeKernels> = /* @__PURE__ */ having(
  'dequantizeGroups',
  'kernels, such as await loadKernels()',
);

/**
 * The weights of quantized integers, row-major. Products are exact, and rounded once.
 * @param kernels those of `loadKernels()` are faster
 * @throws ArgumentError when the number of scales or the length of `out` is wrong
 */
export function dequantize(
  values: Int8Array,
  quantization: Quantization,
  out?: Float32Array,
  kernels?: DequantizeKernels,
): Float32Array {
  check('values', values, typedArray('Int8Array'));
  check('quantization', quantization, QUANTIZATION_PARAMETERS);
  if (kernels !== undefined) check('kernels', kernels, KERNELS);
  return applyQuantization(values, quantization, out, kernels);
}

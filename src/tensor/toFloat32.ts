import { check, checkOptions, type Rules } from '../checks/options.js';
import { ArgumentError } from '../errors.js';
import { DTYPES, type DType } from './dtype.js';
import { storedToFloat32, type ToFloat32Options } from './numbers.js';
import { otherToFloat32 } from './otherNumbers.js';
import { QUANTIZATION_PARAMETERS } from './quantizationRule.js';
import { type Tensor, typedArray } from './tensor.js';
import { ANY_TENSOR } from './tensorRule.js';

const RULES: Rules<ToFloat32Options> = {
  quantization: QUANTIZATION_PARAMETERS,
  out: /* @__PURE__ */ typedArray('Float32Array'),
};

/**
 * The elements of a tensor as numbers, row-major: of the dtypes of HCT and HoloTensor, and of those of safetensors that are
 * single numbers of whole bytes. They are exact where a float32 can hold them (F64, and integers beyond 2^24, may be
 * rounded, to the nearest). F32 data is returned without a copy, unless `out` is given.
 *
 * @example
 * const tensors = await readSafetensors('https://example.org/model/model.safetensors');
 * for (const [name, tensor] of tensors) console.log(name, tensor.dtype, toFloat32(tensor)[0]);
 *
 * @throws UnsupportedError for other dtypes: F4, F6_E2M3, F6_E3M2, F8_E8M0 and C64
 * @throws ArgumentError when the data does not fit the shape, `out` does not fit the data, or quantization comes with other
 *   elements than I8 and I4
 */
export function toFloat32(tensor: Tensor, options: ToFloat32Options = {}): Float32Array {
  check('tensor', tensor, ANY_TENSOR);
  checkOptions(options, RULES);
  if (isStored(tensor)) return storedToFloat32(tensor, options);
  if (options.quantization !== undefined && options.quantization.metadata.scheme !== 'none') {
    throw new ArgumentError('Cannot apply quantization to this dtype', {
      expected: 'I8 or I4',
      actual: tensor.dtype,
    });
  }
  return otherToFloat32(tensor, options.out);
}

function isStored(tensor: Tensor): tensor is Tensor<DType> {
  return DTYPES.includes(tensor.dtype as DType);
}

import { check } from '../checks/options.js';
import { float32ToHalf } from './float.js';
import { asFloat16, type Float16ArrayLike, type Tensor, viewBytes, viewElements } from './tensor.js';
import { ANY_TENSOR } from './tensorRule.js';
import { toFloat32 } from './toFloat32.js';

/**
 * The elements of a tensor in half precision, row-major: a Float16Array where the engine has it (Node from 24, current
 * browsers), else their bit patterns. F16 data is not copied; other numbers are rounded to the nearest, ties to even.
 *
 * @example
 * const { dtype, shape, data } = await collectTensor(await fetch('https://example.org/model/fc1.weight.hct'));
 * console.log(toFloat16({ dtype, shape, data }).length);
 *
 * @throws UnsupportedError, ArgumentError as `toFloat32`
 */
export function toFloat16(tensor: Tensor): Float16ArrayLike | Uint16Array {
  check('tensor', tensor, ANY_TENSOR);
  const { dtype, data } = tensor;
  if (dtype !== 'F16') return asFloat16(float32ToHalf(toFloat32(tensor)));
  return asFloat16(viewElements(dtype, viewBytes(data)) as Uint16Array);
}

import { check } from '../checks/options.js';
import { show } from '../errors/show.js';
import { ArgumentError } from '../errors.js';
import { commonElements } from './commonFloats.js';
import { byteLengthOf, DTYPE, type DType, elementCount } from './dtype.js';
import { bfloat16ToFloat32, halfToFloat32 } from './float.js';
import { float8ToFloat32, float32ToFloat8, isFloat8 } from './float8.js';
import { packInt4, unpackInt4 } from './int4.js';
import { applyQuantization, type Quantization } from './quantization.js';
import { checkOutput, type Tensor, type TensorData, typedArray, viewBytes, viewElements } from './tensor.js';

/** Stored elements to numbers and back, for every dtype of both formats. */

export interface ToFloat32Options {
  /** How integers become weights; without it, they become the same numbers. Only for I8 and I4. */
  readonly quantization?: Quantization | undefined;
  /** Where to write, with the length of the tensor. Default: a new array, or for F32 the tensor's own. */
  readonly out?: Float32Array | undefined;
}

/**
 * The elements of a tensor as numbers, row-major. F32 data is returned without a copy, unless `out` is given.
 * @throws ArgumentError when the data does not fit the shape, `out` does not fit the data, or floats come with
 *   quantization
 */
export function storedToFloat32(tensor: Tensor<DType>, options: ToFloat32Options = {}): Float32Array {
  const { dtype, shape } = tensor;
  const { out } = options;
  const quantization = options.quantization?.metadata.scheme === 'none' ? undefined : options.quantization;
  const elements = elementCount(shape);
  const expected = byteLengthOf(dtype, elements);
  if (tensor.data.byteLength !== expected) {
    throw new ArgumentError(
      `Cannot convert ${show(dtype)} data of shape ${show(shape)}: wrong number of bytes`,
      {
        expected,
        actual: tensor.data.byteLength,
      },
    );
  }
  const data = viewElements(dtype, viewBytes(tensor.data));
  if (dtype === 'I8' || dtype === 'I4') {
    const integers = dtype === 'I8' ? (data as Int8Array) : unpackInt4(data as Uint8Array, elements);
    if (quantization !== undefined) return applyQuantization(integers, quantization, out);
    return copyInto(integers, out ?? new Float32Array(elements));
  }
  if (quantization !== undefined) {
    throw new ArgumentError('Cannot apply quantization to this dtype', {
      expected: 'I8 or I4',
      actual: dtype,
    });
  }
  if (dtype === 'F16') return halfToFloat32(data as Uint16Array, out);
  if (isFloat8(dtype)) {
    const numbers = out ?? new Float32Array(elements);
    checkOutput(numbers, elements);
    return float8ToFloat32(dtype, data as Uint8Array, numbers);
  }
  if (dtype === 'BF16') return bfloat16ToFloat32(data as Uint16Array, out);
  return out === undefined ? (data as Float32Array) : copyInto(data as Float32Array, out);
}

/**
 * Numbers as stored elements, rounded to the nearest, ties to even; integers and floats of eight bits are also clamped to their
 * range. F32 is returned without a copy.
 * @throws ArgumentError naming the index of a NaN that should become an integer
 */
export function fromFloat32(dtype: DType, values: Float32Array): TensorData {
  check('dtype', dtype, DTYPE);
  check('values', values, typedArray('Float32Array'));
  switch (dtype) {
    case 'I8':
      return roundToIntegers(values, -128, 127);
    case 'I4':
      return packInt4(roundToIntegers(values, -8, 7));
    case 'F8_E4M3':
    case 'F8_E5M2':
      return float32ToFloat8(dtype, values);
    default:
      return commonElements(dtype, values);
  }
}

function roundToIntegers(values: Float32Array, low: number, high: number): Int8Array {
  const integers = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) throw new ArgumentError(`Cannot round element ${i} to an integer: it is NaN`);
    const clamped = Math.min(Math.max(value, low), high);
    const floor = Math.floor(clamped);
    const above = clamped - floor;
    integers[i] = above > 0.5 || (above === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  }
  return integers;
}

function copyInto(values: Float32Array | Int8Array, out: Float32Array): Float32Array {
  checkOutput(out, values.length);
  out.set(values);
  return out;
}

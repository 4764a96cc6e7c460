import { ArgumentError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { byteLengthOf, type DType } from '../../tensor/dtype.js';
import { isFloat8 } from '../../tensor/float8.js';
import { storedToFloat32 } from '../../tensor/numbers.js';
import { type Tensor, viewBytes, viewElements } from '../../tensor/tensor.js';
import { checkRequest } from '../encoderInput.js';
import type { EncodeRequest } from '../encoding.js';
import { floatLayout, SINGLE } from './elements.js';
import { float8Patterns } from './float8.js';

/**
 * The elements of a tensor as bits: of floats their own, of those of eight bits patterns of 16, of integers those of the
 * numbers in single precision.
 */
export interface Source {
  readonly patterns: Uint16Array | Uint32Array;
  /** Of the patterns. */
  readonly layout: FloatLayout;
  /** Integers: their planes make them exact. */
  readonly whole: boolean;
}

/** @throws ArgumentError when the matrix does not have the tensor's size */
export function sourceOf(request: EncodeRequest): Source {
  checkRequest(request);
  const { tensor, rows, cols } = request;
  const { dtype } = tensor;
  const expected = byteLengthOf(dtype, rows * cols);
  if (tensor.data.byteLength !== expected) {
    throw new ArgumentError('Cannot encode the tensor: wrong number of bytes', {
      expected,
      actual: tensor.data.byteLength,
    });
  }
  return elementsAsBits({ ...tensor, shape: [rows * cols] });
}

/** Elements of a tensor, or of a part of one, which are aligned. */
export function elementsAsBits(tensor: Tensor<DType>): Source {
  const { dtype, data } = tensor;
  const layout = floatLayout(dtype);
  if (layout !== undefined && isFloat8(dtype)) {
    return { patterns: float8Patterns(dtype, layout, viewBytes(data)), layout, whole: false };
  }
  const bytes = layout === undefined ? storedToFloat32(tensor) : data;
  const { bytes: size } = layout ?? SINGLE;
  const patterns = viewElements(size === 2 ? 'U16' : 'U32', viewBytes(bytes)) as Source['patterns'];
  return { patterns, layout: layout ?? SINGLE, whole: layout === undefined };
}

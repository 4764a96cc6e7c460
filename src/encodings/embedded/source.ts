import { ArgumentError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { byteLengthOf } from '../../tensor/dtype.js';
import { toFloat32 } from '../../tensor/numbers.js';
import { viewBytes, viewElements } from '../../tensor/views.js';
import type { EncodeRequest } from '../encoding.js';
import { floatLayout } from './elements.js';
import { type Survey, survey, surveyPatterns } from './survey.js';

/** The elements of a tensor, as numbers and, where they are floats, as bits. */
export interface Source {
  readonly survey: Survey;
  readonly layout: FloatLayout | undefined;
  /** Undefined for integers. */
  readonly patterns: Uint16Array | Uint32Array | undefined;
  /** The numbers from `start` to before `end`, 0 in place of what is not finite. Good until the next call. */
  numbers(start: number, end: number): Float32Array;
}

/** @throws ArgumentError when the matrix does not have the tensor's size */
export function sourceOf({ tensor, rows, cols, kernels }: EncodeRequest): Source {
  const { dtype } = tensor;
  const expected = byteLengthOf(dtype, rows * cols);
  if (tensor.data.byteLength !== expected) {
    throw new ArgumentError('data of the tensor', { expected, actual: tensor.data.byteLength });
  }
  const layout = floatLayout(dtype);
  const bytes = viewBytes(tensor.data);
  if (layout?.bytes === 2) {
    const patterns = viewElements('U16', bytes) as Uint16Array;
    const widen = dtype === 'F16' ? kernels.halfToFloat32 : kernels.bfloat16ToFloat32;
    return sourceFrom(surveyPatterns(patterns, widen), layout, patterns, (start, end) =>
      widen(patterns.subarray(start, end)),
    );
  }
  const values = toFloat32({ ...tensor, shape: [rows * cols] });
  const patterns = layout === undefined ? undefined : (viewElements('U32', bytes) as Uint32Array);
  return sourceFrom(survey(values), layout, patterns, (start, end) => values.subarray(start, end));
}

function sourceFrom(
  counted: Survey,
  layout: FloatLayout | undefined,
  patterns: Uint16Array | Uint32Array | undefined,
  read: (start: number, end: number) => Float32Array,
): Source {
  const finite = (numbers: Float32Array) => numbers.map((value) => (Number.isFinite(value) ? value : 0));
  const numbers = counted.exceptions === 0 ? read : (start: number, end: number) => finite(read(start, end));
  return { survey: counted, layout, patterns, numbers };
}

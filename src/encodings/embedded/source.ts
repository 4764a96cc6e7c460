import { ArgumentError } from '../../errors.js';
import type { EmbeddedEncodeKernels, FloatLayout, RowSurvey } from '../../kernels/embedded/interface.js';
import { byteLengthOf } from '../../tensor/dtype.js';
import { isFloat8 } from '../../tensor/float8.js';
import { storedToFloat32 } from '../../tensor/numbers.js';
import { viewBytes, viewElements } from '../../tensor/tensor.js';
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
  const layout = floatLayout(dtype);
  if (layout !== undefined && isFloat8(dtype)) {
    return { patterns: float8Patterns(dtype, viewBytes(tensor.data)), layout, whole: false };
  }
  const bytes = layout === undefined ? storedToFloat32({ ...tensor, shape: [rows * cols] }) : tensor.data;
  const { bytes: size } = layout ?? SINGLE;
  const patterns = viewElements(size === 2 ? 'U16' : 'U32', viewBytes(bytes)) as Source['patterns'];
  return { patterns, layout: layout ?? SINGLE, whole: layout === undefined };
}

/** Counts of exponents, which decide where planes begin and end. */
export interface Survey {
  readonly elements: number;
  readonly zeros: number;
  /** NaNs and infinities. */
  readonly exceptions: number;
  /** Σ x² over the finite ones. */
  readonly energy: number;
  /** Finite weights other than 0, by floor(log2 |x|) + EXPONENT_OFFSET. */
  readonly exponents: Uint32Array;
}

/** Exponents of single-precision numbers, subnormal ones too, begin at -149. */
export const EXPONENT_OFFSET = 149;
const EXPONENTS = EXPONENT_OFFSET + 128;
/** Exponent fields of single precision: the bias, and the field of NaNs and infinities. */
const BIAS = 127;
const SPECIAL = 255;

/** Energies of rows of this many elements, and of their columns. */
export interface RowEnergies extends Pick<RowSurvey, 'rows' | 'columns'> {
  readonly rowLength: number;
}

/** @param rowLength what rows the tensor is taken for */
export function surveyOf(
  { patterns, layout }: Source,
  rowLength: number,
  kernels: EmbeddedEncodeKernels,
): { survey: Survey; energies: RowEnergies } {
  const { rows, columns, exponents: fields, subnormals } = kernels.surveyRows(patterns, layout, rowLength);
  const exponents = new Uint32Array(EXPONENTS);
  exponents.set(fields.subarray(1, SPECIAL), EXPONENT_OFFSET - BIAS + 1);
  const zeros = subnormals.at(-1)!;
  exponents.set(subnormals.subarray(0, -1));
  const survey = {
    elements: patterns.length,
    zeros,
    exceptions: fields[SPECIAL]!,
    energy: rows.reduce((sum, energy) => sum + energy, 0),
    exponents,
  };
  return { survey, energies: { rowLength, rows, columns } };
}

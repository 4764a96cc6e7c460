import type { EmbeddedEncodeKernels, FloatLayout } from '../../kernels/embedded/interface.js';
import type { RowEnergies } from './scales.js';
import type { Source } from './source.js';

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
/** Energies of rows. */
interface RowTotals {
  readonly rowLength: number;
  readonly rows: Float64Array;
  columns: Float64Array;
  rowsAdded: number;
}

/**
 * Goes once over the elements of a tensor, in parts of any number of whole rows: sums of floats depend on their order, so the
 * parts are added in that of the tensor, and the results are those of the tensor as a whole.
 */
export class TensorSurvey {
  readonly #elements: number;
  readonly #layout: FloatLayout;
  readonly #kernels: Pick<EmbeddedEncodeKernels, 'surveyRows'>;
  readonly #totals: readonly RowTotals[];
  readonly #exponents = new Uint32Array(EXPONENTS);
  #zeros = 0;
  #exceptions = 0;

  /** @param rowLengths what rows the tensor is taken for; the first length is a multiple of the others */
  constructor(
    elements: number,
    layout: FloatLayout,
    rowLengths: readonly number[],
    kernels: Pick<EmbeddedEncodeKernels, 'surveyRows'>,
  ) {
    this.#elements = elements;
    this.#layout = layout;
    this.#kernels = kernels;
    this.#totals = rowLengths.map((rowLength) => ({
      rowLength,
      rows: new Float64Array(Math.ceil(elements / rowLength)),
      columns: new Float64Array(rowLength),
      rowsAdded: 0,
    }));
  }

  add(patterns: Source['patterns']): void {
    for (const [i, total] of this.#totals.entries()) {
      const { rowLength } = total;
      const found = this.#kernels.surveyRows(patterns, this.#layout, rowLength, total.columns);
      total.rows.set(found.rows, total.rowsAdded);
      total.rowsAdded += found.rows.length;
      total.columns = found.columns;
      if (i > 0) continue;
      const { exponents: fields, subnormals } = found;
      const normal = EXPONENT_OFFSET - BIAS;
      for (let field = 1; field < SPECIAL; field++) this.#exponents[normal + field]! += fields[field]!;
      this.#exceptions += fields[SPECIAL]!;
      for (let bit = 0; bit < subnormals.length - 1; bit++) this.#exponents[bit]! += subnormals[bit]!;
      this.#zeros += subnormals.at(-1)!;
    }
  }

  get counts(): Survey {
    return {
      elements: this.#elements,
      zeros: this.#zeros,
      exceptions: this.#exceptions,
      energy: this.#totals[0]!.rows.reduce((sum, energy) => sum + energy, 0),
      exponents: this.#exponents,
    };
  }

  /** Of each of the lengths of rows. */
  get energies(): readonly RowEnergies[] {
    return this.#totals;
  }
}

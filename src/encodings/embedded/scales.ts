import type { RowSurvey } from '../../kernels/embedded/interface.js';
import type { Scales } from './streamHeader.js';

/** How a tensor is taken for rows whose columns, or which themselves, differ in scale. */

/** Quarter octaves of the root mean square. */
const STEPS_PER_OCTAVE = 4;
/** What is smaller than the whole by more, or zero, is taken for this small. */
const SMALLEST = -20;

/**
 * Bits a weight that codes gain for each squared quarter octave that scales deviate from their mean: a Gaussian of
 * another scale, coded as if it had the mean one, costs the square of the difference of the logarithms, in nats.
 */
const GAIN = Math.LOG2E * (Math.LN2 / STEPS_PER_OCTAVE) ** 2;
/** The entropy of Gaussian numbers that are rounded is the logarithm of so many standard deviations. */
const EVEN_BITS = Math.sqrt(2 * Math.PI * Math.E);
/** Shorter rows are no rows of weights, but parts of a kernel. */
const SHORTEST_ROW = 16;
/** Of the rows in a tile, the first and the last are sorted on their own. */
const LEAST_ROWS = 4;
/** Scales of columns of 32 weights saved bits, but a network of convolutions then worked from 3.75 % of its bytes on, not 2.5. */
const LEAST_HEIGHT = 64;
/** What scales must gain beyond their bits: sorting takes time. */
const LEAST_GAIN = 0.06;

/** Energies of rows of this many elements, and of their columns. */
export interface RowEnergies extends Pick<RowSurvey, 'rows' | 'columns'> {
  readonly rowLength: number;
}

/** The lengths of rows that a tensor can be taken for, whose scales may pay. */
export function rowLengths(shape: readonly number[], elements: number, tileSize: number): number[] {
  if (shape.length < 2) return [];
  const after = (dimension: number) => shape.slice(dimension).reduce((product, n) => product * n, 1);
  return [...new Set([after(1), after(shape.length - 1)])].filter(
    (length) =>
      length >= SHORTEST_ROW && LEAST_ROWS * length <= tileSize && LEAST_HEIGHT * length <= elements,
  );
}

/** The scales that gain more bits than they cost; undefined where none do. */
export function chooseScales(candidates: readonly RowEnergies[]): Scales | undefined {
  let best = { gain: LEAST_GAIN, scales: undefined as Scales | undefined };
  for (const energies of candidates) {
    const found = scalesFor(energies);
    if (found.gain > best.gain) best = found;
  }
  return best.scales;
}

function scalesFor({ rowLength, rows, columns }: RowEnergies): { gain: number; scales: Scales } {
  const energy = rows.reduce((sum, of) => sum + of, 0);
  const ofRows = relativeScales(rows, energy / rows.length);
  const ofColumns = relativeScales(columns, energy / rowLength);
  const rowGain = gainOf(ofRows, rowLength);
  const columnGain = gainOf(ofColumns, rows.length);
  // Counts of significant weights tell groups of large rows from others, too: what these gain is less.
  const rowsPay = rowGain > 0;
  const columnsPay = columnGain > 0;
  return {
    gain: (columnsPay ? columnGain : 0) + (rowsPay ? rowGain / 4 : 0),
    scales: {
      rowLength,
      rows: rowsPay ? ofRows : undefined,
      columns: columnsPay ? ofColumns : undefined,
    },
  };
}

function relativeScales(energies: Float64Array, mean: number): Int8Array {
  return Int8Array.from(energies, (energy) =>
    Math.max(SMALLEST, Math.min(127, Math.round((STEPS_PER_OCTAVE / 2) * Math.log2(energy / mean)))),
  );
}

/** @param weights that each scale is of */
function gainOf(scales: Int8Array, weights: number): number {
  let sum = 0;
  let squares = 0;
  for (const scale of scales) {
    sum += scale;
    squares += scale * scale;
  }
  const variance = squares / scales.length - (sum / scales.length) ** 2;
  const bits = Math.max(1, Math.log2(EVEN_BITS * Math.sqrt(variance + 1 / 12)));
  // Even groups of one Gaussian have scales that differ: by this much, for this many weights.
  const noise = Math.LOG2E / 2;
  return GAIN * variance - (bits + noise) / weights;
}

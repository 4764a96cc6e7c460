/**
 * When to stop looking for eigenvectors. Two things count: the energy that the wanted vectors capture together, and
 * the directions of those that are set apart from the others.
 */

/** The energy that further iterations would add, as a share of the captured energy. */
const ENERGY_TOLERANCE = 2e-4;
/** Steps over whose gains the mean is taken, because single ones vary. */
const STEPS = 3;

/** Values with relative gaps up to this one form a group, of which only the common span matters. */
const GAP = 0.05;
/** Squared error of such a span: the squared residual of a vector over that of the gap around its group. */
const VECTOR_TOLERANCE = 1e-8;

/**
 * Whether the energies captured by the iterations so far, latest last, show that more iterations would not help.
 * Without gaps in the spectrum, the missing energy falls as 1/k² at worst, and is k/2 times the gain of iteration k. At
 * gaps it falls geometrically, which is less.
 */
export function energySettled(energies: readonly number[]): boolean {
  const now = energies.at(-1)!;
  const before = energies.at(-1 - STEPS);
  if (before === undefined) return false;
  const gain = (now - before) / STEPS;
  return gain * energies.length <= 2 * ENERGY_TOLERANCE * now;
}

/**
 * The largest allowed residuals of the vectors of the `rank` largest values, squared: Infinity for those that belong to
 * a group that continues beyond the rank, and so has no span of its own in the result.
 */
export function allowedResiduals(values: Float64Array, rank: number): Float64Array {
  const allowed = new Float64Array(values.length).fill(Infinity);
  for (let first = 0; first < Math.min(rank, values.length); ) {
    let end = first + 1;
    while (end < values.length && values[end - 1]! - values[end]! <= GAP * values[end - 1]!) end++;
    if (end > rank) break;
    const above = (values[first - 1] ?? Infinity) - values[first]!;
    const gap = Math.min(above, values[end - 1]! - (values[end] ?? 0));
    allowed.fill(VECTOR_TOLERANCE * gap * gap, first, end);
    first = end;
  }
  return allowed;
}

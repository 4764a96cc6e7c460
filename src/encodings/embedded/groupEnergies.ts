import type { TilePlan, TileWeights } from '../../kernels/embedded/interface.js';
import { becomesDense, CENTROID_STEPS, GROUP } from '../../kernels/embedded/tile.js';
import type { Energies } from './measure.js';
import type { PlaneHeader } from './streamHeader.js';
import type { Pass } from './unitSequence.js';

/** Weights of a tile in its order; at the places of NaNs and infinities, which no number stands for, they have zeros. */
export interface FiniteWeights {
  readonly weights: Omit<TileWeights, 'parts'>;
  readonly places: readonly number[];
}

/** Where a pass puts weights, in steps of the lowest plane. */
interface Placing {
  /** Steps of its plane in one of the lowest. */
  readonly perStep: number;
  readonly step: number;
  /** A weight within its step. */
  readonly inside: number;
  /** One without a bit, where its sign is known. */
  readonly ofZero: number;
  /** The last plane whose signs are known by then: those below it, and its step. */
  readonly level: number;
  readonly least: number;
}

/** Before the first pass, all weights are 0. */
const NOTHING: Placing = { perStep: 0, step: 0, inside: 0, ofZero: 0, level: 0, least: 0 };

/** Of two, by exponent fields. */
const POWERS: Float64Array = /* @__PURE__ */ Float64Array.from({ length: 256 }, (_, field) => 2 ** field);

/**
 * What gives what a group adds to the energies by a pass after another: the same as the sums of the kernels say of whole tiles.
 * The loops over weights are functions of their own, which engines compile well.
 */
export function groupEnergies(
  { weights, places }: FiniteWeights,
  { dense, scale }: TilePlan,
  planes: readonly PlaneHeader[],
  pass: Pass,
  before: Pass | undefined,
): (group: number) => Energies {
  const magnitudes = new Float64Array(GROUP);
  const unit = 2 ** -(weights.layout.bias + weights.layout.mantissaBits + scale);
  const [now, then] = [placingOf(pass, planes), placingOf(before, planes)];
  const ofZero = (placing: Placing, group: number, count: number): number => {
    if (placing.ofZero === 0 || placing.level >= planes.length) return 0;
    // Counts and ratios rise from plane to plane: the group has become dense in an earlier one, or does in this one.
    const ofGroup = weights.scales[group]!;
    const isDense =
      becomesDense(dense, 0, ofGroup, placing.level) ||
      becomesDense(dense, countFrom(placing.least, magnitudes, count), ofGroup, placing.level);
    return isDense ? placing.ofZero : 0;
  };
  return (group) => {
    const count = loadMagnitudes(weights, places, group, unit, magnitudes);
    return changeOf(magnitudes, count, now, ofZero(now, group, count), then, ofZero(then, group, count));
  };
}

function placingOf(pass: Pass | undefined, planes: readonly PlaneHeader[]): Placing {
  if (pass === undefined || pass.kind === 'remainder') return NOTHING;
  const { centroid, zeroCentroid, level: own } = planes[pass.plane]!;
  const step = 2 ** own;
  const level = pass.kind === 'signs' ? own : own + 1;
  return {
    perStep: 1 / step,
    step,
    inside: centroid / CENTROID_STEPS,
    ofZero: (step * zeroCentroid) / CENTROID_STEPS,
    level,
    least: 2 ** level,
  };
}

/** The finite weights of a group; returns how many there are. */
function loadMagnitudes(
  { patterns, layout }: FiniteWeights['weights'],
  places: readonly number[],
  group: number,
  unit: number,
  out: Float64Array,
): number {
  const { mantissaBits, exponentBits } = layout;
  const ones = 2 ** mantissaBits;
  const fields = 2 ** exponentBits - 1;
  const end = Math.min(GROUP * (group + 1), patterns.length);
  let count = 0;
  for (let place = GROUP * group; place < end; place++) {
    if (places.length > 0 && places.includes(place)) continue;
    const pattern = patterns[place]!;
    const exponent = (pattern >>> mantissaBits) & fields;
    const mantissa = pattern & (ones - 1);
    out[count] = unit * (exponent === 0 ? 2 * mantissa : (ones + mantissa) * POWERS[exponent]!);
    count += 1;
  }
  return count;
}

function countFrom(least: number, magnitudes: Float64Array, count: number): number {
  let found = 0;
  for (let i = 0; i < count; i++) if (magnitudes[i]! >= least) found += 1;
  return found;
}

function changeOf(
  magnitudes: Float64Array,
  count: number,
  now: Placing,
  zeroNow: number,
  then: Placing,
  zeroThen: number,
): Energies {
  let square = 0;
  let dot = 0;
  for (let i = 0; i < count; i++) {
    const magnitude = magnitudes[i]!;
    const stepsNow = Math.floor(magnitude * now.perStep);
    const stepsThen = Math.floor(magnitude * then.perStep);
    const valueNow = stepsNow > 0 ? (stepsNow + now.inside) * now.step : zeroNow;
    const valueThen = stepsThen > 0 ? (stepsThen + then.inside) * then.step : zeroThen;
    square += (valueNow - valueThen) * (valueNow + valueThen);
    dot += magnitude * (valueNow - valueThen);
  }
  return { square, error: square - 2 * dot };
}

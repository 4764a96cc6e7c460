import type { GroupPlacing, SortedWeights } from '../interface.js';
import { GROUP } from '../tile.js';

/** Of two, by exponent fields. */
const POWERS: Float64Array = /* @__PURE__ */ Float64Array.from({ length: 256 }, (_, field) => 2 ** field);

/** The loops over weights are functions of their own, which engines compile well. */
export function groupChanges(
  weights: SortedWeights,
  scale: number,
  threshold: number,
  now: GroupPlacing,
  then: GroupPlacing,
): Float64Array {
  const { scales, layout } = weights;
  const magnitudes = new Float64Array(GROUP);
  const unit = 2 ** -(layout.bias + layout.mantissaBits + scale);
  const changes = new Float64Array(2 * scales.length);
  for (let group = 0; group < scales.length; group++) {
    const count = loadMagnitudes(weights, group, unit, magnitudes);
    const ofZero = ({ ofZero, least, leastScale }: GroupPlacing) =>
      countFrom(least, magnitudes, count) >= threshold || scales[group]! >= leastScale ? ofZero : 0;
    changeOf(magnitudes, count, now, ofZero(now), then, ofZero(then), changes.subarray(2 * group));
  }
  return changes;
}

/** The finite weights of a group; returns how many there are. */
function loadMagnitudes(
  { patterns, layout, places }: SortedWeights,
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
  now: GroupPlacing,
  zeroNow: number,
  then: GroupPlacing,
  zeroThen: number,
  out: Float64Array,
): void {
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
  out[0] = square;
  out[1] = square - 2 * dot;
}

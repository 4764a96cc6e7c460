import { check, listOf, wholeNumber } from '../checks/options.js';
import { QualityCurve } from './quality.js';

type Cubic = readonly [number, number, number, number];

/** Positions at which a rising curve may be flat; mixtures of neighbours approximate those between. */
const FLAT_PLACES = 32;
/** Steps of the descent; it converges geometrically, usually within a few hundred. */
const MAX_STEPS = 5000;
/** More samples than this tell a cubic nothing new: of very many fragments, only every n-th is used. */
const MAX_SAMPLES = 1024;
/** Gain per step and sample below which the descent ends. */
const NO_GAIN = 1e-13;

/**
 * The cubics that rise (or stay) from 0 to 1 over [0, 1] and are not mixtures of others, and the constants 0 and 1. A
 * quadratic that is nowhere negative in [0, 1], the derivative, is a sum of squares (x − t)² and of x(1 − x).
 */
const CORNERS: readonly Cubic[] = [
  [0, 0, 0, 0],
  [1, 0, 0, 0],
  [0, 0, 3, -2],
  ...Array.from({ length: FLAT_PLACES + 1 }, (_, i) => flatAt(i / FLAT_PLACES)),
];

const MEASURED = /* @__PURE__ */ listOf<number>((value) => !Number.isFinite(value) && 'a finite number');

/** The straight line, for samples that leave a choice: one third of each of these corners. */
const LINE: readonly number[] = [2, 3, CORNERS.length - 1];

/**
 * The cubic nearest, in least squares, to the measured quality of the in-order prefixes (`measured[k]` after
 * fragments 0..k), among those that rise from at least 0 to at most 1 over all of [0, 1].
 *
 * Such cubics are the mixtures of a few corners, so weights ≥ 0 with sum 1 are moved from the corner that
 * helps least to the one that helps most (pairwise Frank-Wolfe; Lacoste-Julien and Jaggi, "On the global linear
 * convergence of Frank-Wolfe optimization variants", 2015). Every step stays within the allowed curves.
 */
export function fitQualityCurve(measured: readonly number[], minimum: number): QualityCurve {
  check('measured', measured, MEASURED);
  check('minimum', minimum, wholeNumber(0, 0xffff));
  const { gram, slope } = normalEquations(measured);
  const weights: number[] = CORNERS.map((_, i) => (LINE.includes(i) ? 1 / LINE.length : 0));
  for (const i of LINE) addScaled(slope, gram[i]!, 1 / LINE.length);
  for (let step = 0; step < MAX_STEPS; step++) {
    const to = slope.indexOf(Math.min(...slope));
    const used = slope.map((value, i) => (weights[i]! > 0 ? value : Number.NEGATIVE_INFINITY));
    const from = used.indexOf(Math.max(...used));
    const gain = slope[from]! - slope[to]!;
    if (gain <= NO_GAIN * measured.length) break;
    const curvature = gram[to]![to]! - 2 * gram[to]![from]! + gram[from]![from]!;
    const share = Math.min(weights[from]!, gain / curvature);
    weights[from]! -= share;
    weights[to]! += share;
    addScaled(slope, gram[to]!, share);
    addScaled(slope, gram[from]!, -share);
  }
  const coefficients = [0, 0, 0, 0];
  for (const [i, corner] of CORNERS.entries()) addScaled(coefficients, corner, weights[i]!);
  return new QualityCurve(coefficients, minimum);
}

/** ∫(x − t)², scaled to reach 1 at 1. */
function flatAt(t: number): Cubic {
  const atOne = 1 / 3 - t + t * t;
  return [0, (t * t) / atOne, -t / atOne, 1 / 3 / atOne];
}

/** Products of the corners over the samples, and the objective's slope towards each where all weights are 0. */
function normalEquations(measured: readonly number[]): { gram: number[][]; slope: number[] } {
  const gram = CORNERS.map(() => new Array<number>(CORNERS.length).fill(0));
  const slope = new Array<number>(CORNERS.length).fill(0);
  const stride = Math.ceil(measured.length / MAX_SAMPLES);
  for (let k = measured.length - 1; k >= 0; k -= stride) {
    const quality = measured[k]!;
    const x = (k + 1) / measured.length;
    const values = CORNERS.map(([a, b, c, d]) => a + x * (b + x * (c + x * d)));
    addScaled(slope, values, -quality);
    for (const [i, value] of values.entries()) addScaled(gram[i]!, values, value);
  }
  return { gram, slope };
}

function addScaled(sum: number[], values: readonly number[], factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * values[i]!;
}

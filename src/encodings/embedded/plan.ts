import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { MAX_PLANES, MAX_TILE_LOG2, NEVER_DENSE } from './format.js';
import { EXPONENT_OFFSET, type Survey } from './source.js';

/** How the encoder cuts a tensor: its decisions before it encodes planes. */
export interface PlanePlan {
  readonly tileLog2: number;
  readonly scale: number;
  readonly depth: number;
  readonly threshold: number;
  /** Zeros are marked in the remainder, not coded like other small weights. */
  readonly markZeros: boolean;
}

/** Tiles per tensor, so that fragments can end close to their targets. */
const TILES = 32;
const SMALLEST_TILE_LOG2 = 12;

/** Planes end at 2^-9 of the root mean square: there, the relative error is about 0.06 %. */
const LOWEST_PLANE_BELOW_RMS = 9;

/** Bits per weight that planes may spend below the ends of mantissas. */
const TOLERATED_WASTE = 0.01;

/**
 * From this many significant weights of 64 on, the next plane's bits are nearly random, and signs for all weights
 * reduce the error by more than the bits that tell which are significant (measured: see docs/embedded.md).
 */
const DENSE_FROM = 20;
/** With more zeros than this, groups stay coded: a zero has no use for a sign, nor for raw bits. */
const MANY_ZEROS = 1 / 16;

/** @param layout of the elements; undefined for integers */
export function planPlanes(counted: Survey, layout: FloatLayout | undefined): PlanePlan {
  const { elements, zeros, exceptions, exponents } = counted;
  const highest = exponents.findLastIndex((count) => count > 0) - EXPONENT_OFFSET;
  const any = highest >= -EXPONENT_OFFSET;
  const wanted = Math.ceil(Math.log2(Math.max(1, elements / TILES)));
  const lowest = layout === undefined ? 0 : lowestPlane(counted, layout, highest);
  return {
    tileLog2: Math.min(MAX_TILE_LOG2, Math.max(SMALLEST_TILE_LOG2, wanted)),
    scale: lowest,
    depth: any ? Math.max(0, highest - lowest + 1) : 0,
    threshold: zeros > MANY_ZEROS * elements ? NEVER_DENSE : DENSE_FROM,
    // Marking costs about a bit for each group of 64; coding a zero as a float takes 16 bits and its mantissa.
    markZeros: layout !== undefined && (zeros + exceptions) * (16 + layout.mantissaBits) > elements / 64,
  };
}

function lowestPlane(counted: Survey, layout: FloatLayout, highest: number): number {
  const { elements, energy, exponents } = counted;
  const { mantissaBits, bias } = layout;
  // Subnormal weights have no leading bit for a plane to hold.
  const smallestNormal = 1 - bias;
  if (highest < smallestNormal) return smallestNormal;
  const rms = Math.sqrt(energy / elements);
  let lowest = Math.floor(Math.log2(rms)) - LOWEST_PLANE_BELOW_RMS;
  lowest = Math.max(lowest, smallestNormal, highest - MAX_PLANES + 1);
  while (lowest < highest && wasted(exponents, lowest + mantissaBits) > TOLERATED_WASTE * elements)
    lowest += 1;
  return lowest;
}

/** Bits below the mantissas of weights, when planes go on to where mantissas of exponent `last` end. */
function wasted(exponents: Uint32Array, last: number): number {
  return exponents.reduce((sum, count, i) => sum + count * Math.max(0, i - EXPONENT_OFFSET - last), 0);
}

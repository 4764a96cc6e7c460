import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { GROUP } from '../../kernels/embedded/tile.js';
import { MAX_PLANES, MAX_TILE_LOG2, NEVER_DENSE } from './format.js';
import { EXPONENT_OFFSET, type Survey } from './source.js';

/** How the encoder cuts a tensor: its decisions before it encodes planes. */
export interface PlanePlan {
  readonly tileLog2: number;
  readonly scale: number;
  readonly depth: number;
  readonly threshold: number;
  /** The root mean square of the weights, in quarter octaves of the lowest plane's step. */
  readonly base: number;
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
 * From this many significant weights of 64 on, the bits of the next plane are nearly random, and signs for all weights
 * reduce the error by more than the bits that tell which are significant (measured: see docs/embedded.md). With heavier
 * tails than a Gaussian's, most of the others are still far smaller, and more must be significant.
 */
const DENSE_FROM = { least: 8, most: 20 };
/** Signs pay where this part of the weights below a threshold is above its half. */
const NEARLY_SIGNIFICANT = 0.25;
/** With more zeros than this, groups stay coded: a zero has no use for a sign, nor for raw bits. */
const MANY_ZEROS = 1 / 16;

/** How many weights tiles have. */
export function tileLog2Of(elements: number): number {
  const wanted = Math.ceil(Math.log2(Math.max(1, elements / TILES)));
  return Math.min(MAX_TILE_LOG2, Math.max(SMALLEST_TILE_LOG2, wanted));
}

/** @param layout of the elements; undefined for integers */
export function planPlanes(counted: Survey, layout: FloatLayout | undefined): PlanePlan {
  const { elements, zeros, exceptions, exponents } = counted;
  const highest = exponents.findLastIndex((count) => count > 0) - EXPONENT_OFFSET;
  const any = highest >= -EXPONENT_OFFSET;
  const lowest = layout === undefined ? 0 : lowestPlane(counted, layout, highest);
  return {
    tileLog2: tileLog2Of(elements),
    scale: lowest,
    depth: any ? Math.max(0, highest - lowest + 1) : 0,
    base: baseOf(counted, lowest),
    threshold: zeros > MANY_ZEROS * elements ? NEVER_DENSE : denseFrom(counted),
    // Marking costs about a bit for each group of 64; coding a zero as a float takes 16 bits and its mantissa.
    markZeros: layout !== undefined && (zeros + exceptions) * (16 + layout.mantissaBits) > elements / 64,
  };
}

function denseFrom({ elements, exponents }: Survey): number {
  let above = 0;
  for (let exponent = exponents.length - 1; exponent > 0; exponent--) {
    const significant = above + exponents[exponent]!;
    const nearly = exponents[exponent - 1]! / (elements - significant);
    if (nearly >= NEARLY_SIGNIFICANT) {
      // Between the counts at this threshold and at its double.
      const wanted = Math.round((GROUP * Math.sqrt(above * significant)) / elements);
      return Math.min(Math.max(wanted, DENSE_FROM.least), DENSE_FROM.most);
    }
    above = significant;
  }
  return DENSE_FROM.most;
}

/** Fields of scales are bytes. */
function baseOf({ elements, energy }: Survey, lowest: number): number {
  if (energy === 0) return 0;
  return Math.min(Math.max(Math.round(2 * Math.log2(energy / elements)) - 4 * lowest, 0), 255);
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

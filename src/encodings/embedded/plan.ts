import type { FloatLayout, TileCoding } from '../../kernels/embedded/interface.js';
import { COUNTED_EXPONENTS, GROUP, mantissaBitsOf } from '../../kernels/embedded/tile.js';
import { endsWhole } from './elements.js';
import { MAX_PLANES, MAX_TILE_LOG2, type Scales } from './streamHeader.js';
import { EXPONENT_OFFSET, type Survey } from './survey.js';

/** How the encoder cuts a tensor: its decisions before it encodes planes. */
export interface PlanePlan {
  readonly tileLog2: number;
  readonly scale: number;
  readonly depth: number;
  /** With so many zeros that groups stay coded. */
  readonly sparse: boolean;
  /** The root mean square of the weights, in quarter octaves of the lowest plane's step. */
  readonly base: number;
  /** Zeros are marked in the remainder, not coded like other small weights. */
  readonly markZeros: boolean;
}

/** What the whole tensor decides, but for the codes, which are chosen by some of its tiles. */
export interface SurveyedTensor {
  readonly elements: number;
  /** NaNs and infinities. */
  readonly exceptions: number;
  /** Σ x² over the finite elements. */
  readonly energy: number;
  readonly planes: PlanePlan;
  readonly scales: Scales | undefined;
}

/** All that the whole tensor decides: with it, each tile is encoded without the others. */
export interface TensorPlan extends SurveyedTensor {
  readonly coding: TileCoding;
}

/** Tiles per tensor: each takes bytes for the lengths of its units, and the larger they are, the longer it takes to cut one. */
const TILES = 8;
/** Small tensors have about half as many: their lengths count more. */
const FEW_TILES = 4;
const TILE_LOG2_OF_FEW = 15;
/** Mantissas of two or three bits bring cosines of 0.999, and remainders are not cut. */
const TILES_OF_TAPERED = 32;
/** Each unit of a tile takes a microsecond beside its weights, and smaller ones save no bits but those until 0.9. */
const SMALLEST_TILE_LOG2 = 13;

/** Planes end at 2^-9 of the root mean square: there, the relative error is about 0.06 %. */
const LOWEST_PLANE_BELOW_RMS = 9;

/** Bits per weight that planes may spend below the ends of mantissas. */
const TOLERATED_WASTE = 0.01;
/**
 * The same with mantissas of two or three bits, where a higher lowest plane would lose qualities about 0.999; and for planes
 * down to the smallest numbers, where those of a shorter mantissa cannot be cut.
 */
const TOLERATED_OF_TAPERED = 0.1;
const TOLERATED_TO_SMALLEST = 0.3;

/** With more zeros than this, groups stay coded: a zero has no use for a sign, nor for raw bits. */
const MANY_ZEROS = 1 / 16;

/** How many weights tiles have. */
export function tileLog2Of(elements: number, { tapered = false }: Pick<FloatLayout, 'tapered'>): number {
  const log2For = (tiles: number) => Math.ceil(Math.log2(Math.max(1, elements / tiles)));
  const wanted = tapered
    ? log2For(TILES_OF_TAPERED)
    : Math.max(log2For(TILES), Math.min(log2For(FEW_TILES), TILE_LOG2_OF_FEW));
  return Math.min(MAX_TILE_LOG2, Math.max(SMALLEST_TILE_LOG2, wanted));
}

/** @param whole the elements are integers */
export function planPlanes(counted: Survey, of: FloatLayout, whole: boolean): PlanePlan {
  const layout = whole ? undefined : of;
  const { elements, zeros, exponents } = counted;
  const highest = exponents.findLastIndex((count) => count > 0) - EXPONENT_OFFSET;
  const any = highest >= -EXPONENT_OFFSET;
  const lowest = layout === undefined ? 0 : lowestPlane(counted, layout, highest);
  return {
    tileLog2: tileLog2Of(elements, of),
    scale: lowest,
    depth: any ? Math.max(0, highest - lowest + 1) : 0,
    base: baseOf(counted, lowest),
    sparse: zeros > MANY_ZEROS * elements,
    markZeros: layout !== undefined && marksPay(counted, layout, lowest),
  };
}

/** Whether zeros take more bits as floats than a bitmap that says which of the small weights are none. */
function marksPay(
  { elements, zeros, exceptions, exponents }: Survey,
  layout: FloatLayout,
  lowest: number,
): boolean {
  const distance = lowest + layout.bias - 1;
  const exponentBits = distance < COUNTED_EXPONENTS ? distance + 1 : COUNTED_EXPONENTS + layout.exponentBits;
  const bitsOfZero = exponentBits + mantissaBitsOf(layout, 0);
  const small = exponents.subarray(0, lowest + EXPONENT_OFFSET).reduce((sum, count) => sum + count, 0);
  const share = small / elements;
  const entropy = share > 0 && share < 1 ? -share * Math.log2(share) - (1 - share) * Math.log2(1 - share) : 0;
  // At least about a bit for each group.
  return (zeros + exceptions) * bitsOfZero > elements * Math.max(entropy, 1 / GROUP);
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
  const tolerated = layout.tapered ? TOLERATED_OF_TAPERED : TOLERATED_WASTE;
  const waste = (from: number) => wasted(exponents, from + mantissaBits) / elements;
  while (lowest < highest && waste(lowest) > tolerated) lowest += 1;
  if (endsWhole(lowest, layout)) return lowest;
  return waste(smallestNormal) <= TOLERATED_TO_SMALLEST ? smallestNormal : smallestNormal + mantissaBits;
}

/** Bits below the mantissas of weights, when planes go on to where mantissas of exponent `last` end. */
function wasted(exponents: Uint32Array, last: number): number {
  return exponents.reduce((sum, count, i) => sum + count * Math.max(0, i - EXPONENT_OFFSET - last), 0);
}

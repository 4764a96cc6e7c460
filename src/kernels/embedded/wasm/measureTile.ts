import type { WasmRuntime } from '../../runtime/runtime.js';
import type { FloatLayout, TilePlan, TileWeights } from '../interface.js';
import { encodeExports } from './encodeExports.js';
import { isShort, type LoadedTile } from './loadTile.js';
import { allocateZeros } from './memory.js';

/** The sums of a tile's planes. */

/** Of `measure`: bytes of a bucket, of a row of what planes have in common. */
const BUCKET_BYTES = 64;
const PAIR_BYTES = 144;
/** Of `measureShort`: bytes of a row before its counts. */
const COUNTS_BYTES = 64;
const F32_BIAS = 127;

/** Planes for `measure`, at least MORE_PLANES of them below the coded ones: what is below all of them is only estimated. */
const MEASURED_PLANES = 17;
const MORE_PLANES = 5;
/** Estimates for few weights are worse. */
const MORE_FOR_FEW = 3;
const MANY_WEIGHTS = 4096;

/** Rows of counts take as long to clear as so many weights take to measure in another way. */
const COUNTED_WEIGHTS = 1024;

/** Of many weights with short mantissas, patterns are counted: few differ. */
export function isCounted({ layout, patterns }: TileWeights): boolean {
  return isShort(layout) && patterns.length >= COUNTED_WEIGHTS;
}

/** Planes below the coded ones that `measure` needs. */
export function morePlanes(depth: number, weights: number): number {
  const more = Math.max(MORE_PLANES, MEASURED_PLANES - depth);
  return weights < MANY_WEIGHTS ? more + MORE_FOR_FEW : more;
}

/** @returns Σ x² */
export function measure(
  runtime: WasmRuntime,
  { mantissaBits }: FloatLayout,
  depth: number,
  more: number,
  { numbers, weights, planes, stride, dropped }: LoadedTile,
  denseFrom: number,
  sums: number,
): number {
  const buckets = allocateZeros(runtime, BUCKET_BYTES * (depth + 1) * (depth + more + 1));
  const pairs = runtime.allocate(PAIR_BYTES * (depth + more));
  return encodeExports(runtime).measure(
    numbers,
    weights,
    depth,
    more,
    mantissaBits,
    planes,
    stride,
    denseFrom,
    dropped,
    buckets,
    pairs,
    sums,
  );
}

/** The same of a tile that {@link isCounted}. */
export function measureShort(
  runtime: WasmRuntime,
  { mantissaBits, bias }: FloatLayout,
  { depth, scale }: TilePlan,
  { patterns, weights }: LoadedTile,
  denseFrom: number,
  sums: number,
): number {
  const rowBytes = COUNTS_BYTES + 4 * depth * 2 ** mantissaBits;
  const rows = allocateZeros(runtime, (depth + 1) * rowBytes);
  return encodeExports(runtime).measureShort(
    patterns,
    weights,
    depth,
    mantissaBits,
    scale + bias,
    2 ** (F32_BIAS - bias - scale),
    denseFrom,
    rows,
    sums,
  );
}

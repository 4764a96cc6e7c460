import type { WasmRuntime } from '../../runtime/runtime.js';
import type { FloatLayout, TilePlan, TileWeights } from '../interface.js';
import { GROUP, GROUP_BYTES } from '../tile.js';
import { encodeExports } from './encodeExports.js';
import { APART, allocateZeros, loadInto } from './memory.js';

/** Working memory of `scatter` and `scatterShort`. */
const SCATTER_BYTES = 64;
/** The most planes of `scatterShort`. */
const SHORT_DEPTH = 15;
/** Mantissas of 16-bit patterns with at most so many bits have fast kernels of their own. */
const SHORT_MANTISSA = 7;
/** Kernels take the states of so many groups at a time. */
const SIXTEEN = 16;
/** They widen eight numbers at a time. */
export const WIDENED = 8;
const F32_BIAS = 127;

/** A tile in the memory of the kernels, cut into planes. */
export interface LoadedTile {
  readonly weights: number;
  readonly groups: number;
  readonly stride: number;
  /** Filled up with zeros to whole groups. */
  readonly patterns: number;
  /** |x| in steps of the lowest plane; nothing where numbers are not wanted. */
  readonly numbers: number;
  readonly planes: number;
  readonly signs: number;
  readonly significant: number;
  readonly counts: number;
  readonly dense: number;
  readonly scales: number;
  /** A byte for each group. */
  readonly contexts: number;
  /** Σ of the squares of what is below all planes. */
  readonly dropped: number;
}

/**
 * @param more planes below those that are coded
 * @param withNumbers numbers and what is below the planes are wanted, too
 */
export function loadTile(
  runtime: WasmRuntime,
  { patterns, layout, parts, scales }: TileWeights,
  { scale, depth }: TilePlan,
  more: number,
  withNumbers: boolean,
): LoadedTile {
  const weights = patterns.length;
  const groups = Math.ceil(weights / GROUP);
  const stride = groups * GROUP_BYTES + APART;
  const size = GROUP * groups * layout.bytes;
  const natural = runtime.allocate(size);
  const sorted = parts === undefined ? natural : runtime.allocate(size);
  const numbers = runtime.allocate(4 * GROUP * groups);
  const planes = runtime.allocate((depth + more) * stride);
  const signs = runtime.allocate(stride);
  // One after another, to be filled at once.
  const room = SIXTEEN * Math.ceil(groups / SIXTEEN);
  const significant = allocateZeros(runtime, stride + 2 * room);
  const counts = significant + stride;
  const contexts = runtime.allocate(groups);
  const scratch = runtime.allocate(SCATTER_BYTES);
  const ofGroups = loadInto(runtime, scales);
  if (parts !== undefined) sort(runtime, patterns, parts, layout.bytes, natural, sorted);
  else runtime.load(patterns, sorted);
  runtime.bytes(sorted + weights * layout.bytes, size - weights * layout.bytes).fill(0);
  const kernels = encodeExports(runtime);
  let dropped = 0;
  if (!withNumbers && isShort(layout) && depth <= SHORT_DEPTH) {
    const { mantissaBits, bias } = layout;
    kernels.scatterShort(sorted, groups, mantissaBits, scale + bias, depth, planes, stride, signs, scratch);
  } else {
    if (layout.bytes === 4) runtime.bytes(numbers, size).set(runtime.bytes(sorted, size));
    else widen(runtime, sorted, GROUP * groups, layout, numbers);
    dropped = kernels.scatter(
      numbers,
      groups,
      2 ** -scale,
      2 ** more,
      depth + more,
      planes,
      stride,
      signs,
      scratch,
    );
  }
  return {
    weights,
    groups,
    stride,
    patterns: sorted,
    numbers,
    planes,
    signs,
    significant,
    counts,
    dense: counts + room,
    scales: ofGroups,
    contexts,
    dropped,
  };
}

export function isShort({ bytes, mantissaBits }: FloatLayout): boolean {
  return bytes === 2 && mantissaBits <= SHORT_MANTISSA;
}

/** The elements of a tile in its order. */
export function sortTile(
  runtime: WasmRuntime,
  { patterns, layout, parts }: TileWeights,
): TileWeights['patterns'] {
  if (parts === undefined) return patterns;
  const natural = runtime.allocate(patterns.byteLength);
  const out = runtime.allocate(patterns.byteLength);
  sort(runtime, patterns, parts, layout.bytes, natural, out);
  const sorted = patterns.slice();
  runtime.store(out, sorted);
  return sorted;
}

function sort(
  runtime: WasmRuntime,
  patterns: Uint16Array | Uint32Array,
  parts: NonNullable<TileWeights['parts']>,
  bytes: number,
  natural: number,
  sorted: number,
): void {
  const { sortLong, sortShort } = encodeExports(runtime);
  const part = bytes === 4 ? sortLong : sortShort;
  const loaded = new Map<Uint32Array, number>();
  for (const { columns } of parts) {
    // Whole rows have the same columns.
    if (!loaded.has(columns)) loaded.set(columns, loadInto(runtime, columns));
  }
  runtime.load(patterns, natural);
  let out = sorted;
  for (const { first, columns } of parts) {
    part(natural + first * bytes, loaded.get(columns)!, columns.length, out);
    out += columns.length * bytes;
  }
}

/** The address of these numbers in single precision; room for `WIDENED` more is behind both arrays. */
export function widen(
  runtime: WasmRuntime,
  patterns: number,
  count: number,
  layout: FloatLayout,
  numbers: number,
): number {
  if (layout.bytes === 4) return patterns;
  const { mantissaBits, exponentBits, bias } = layout;
  const steps = Math.ceil(count / WIDENED) * WIDENED;
  encodeExports(runtime).widenShort(
    patterns,
    steps,
    mantissaBits,
    exponentBits,
    2 ** (F32_BIAS - bias),
    numbers,
  );
  return numbers;
}

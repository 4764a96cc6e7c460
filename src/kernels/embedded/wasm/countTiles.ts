import type { WasmRuntime } from '../../runtime/runtime.js';
import { FIXED_SYMBOL_COUNTS } from '../fixedSymbols.js';
import type { TileCounts, TilePlan, TileWeights } from '../interface.js';
import { SYMBOL_COUNTS } from '../survey.js';
import { CLASS_OF, GROUP_BYTES } from '../tile.js';
import { encodeExports } from './encodeExports.js';
import { loadTile } from './loadTile.js';
import { allocateZeros, denseShift, loadInto, ruleBytes } from './memory.js';

const NOTHING_REPLACED = new Uint16Array(0);

/** What the survey of tiles adds to, u32 addresses. */
interface CountingRoom {
  readonly rules: number;
  readonly selectedRule: number;
  readonly symbols: number;
  readonly costs: number;
  readonly fixed: number;
  readonly fixedStride: number;
  /** Symbols of the remainder's bitmap; 0 where they are not wanted. */
  readonly nonzero: number;
}

/** Goes once through the planes of tiles as an encoder does, to count. */
export function countTiles(
  runtime: WasmRuntime,
  tiles: readonly TileWeights[],
  plan: TilePlan,
  selections: boolean,
  marks: boolean,
): TileCounts {
  const { depth } = plan;
  // What is kept comes first.
  const rules = Array.from({ length: depth }, (_, j) =>
    runtime.keep(ruleBytes({ fixed: NOTHING_REPLACED, level: depth - 1 - j })),
  );
  const selectedRule = selections ? runtime.keep(ruleBytes({ fixed: undefined, level: 0 })) : 0;
  runtime.keep(CLASS_OF);
  const counted = selections ? depth : 0;
  const fixedPlanes = selections ? depth : 1;
  const fixedBytes = 4 * FIXED_SYMBOL_COUNTS;
  const room = {
    rules: loadInto(runtime, Uint32Array.from(rules)),
    selectedRule,
    symbols: allocateZeros(runtime, 8 * SYMBOL_COUNTS * counted),
    costs: allocateZeros(runtime, 8 * counted),
    fixed: allocateZeros(runtime, fixedBytes * fixedPlanes),
    fixedStride: selections ? fixedBytes : 0,
    nonzero: marks ? allocateZeros(runtime, 4 * SYMBOL_COUNTS) : 0,
  };
  for (const tile of tiles) runtime.scope(() => countTile(runtime, tile, plan, room));
  const fixed = runtime.words(room.fixed, FIXED_SYMBOL_COUNTS * fixedPlanes).slice();
  return {
    symbols: runtime.words(room.symbols, 2 * SYMBOL_COUNTS * counted).slice(),
    costs: runtime.words(room.costs, 2 * counted).slice(),
    fixed: Array.from({ length: fixedPlanes }, (_, j) =>
      fixed.subarray(FIXED_SYMBOL_COUNTS * j, FIXED_SYMBOL_COUNTS * (j + 1)),
    ),
    nonzero: runtime.words(room.nonzero, marks ? SYMBOL_COUNTS : 0).slice(),
  };
}

function countTile(runtime: WasmRuntime, tile: TileWeights, plan: TilePlan, room: CountingRoom): void {
  const { scale, depth, dense: rule, codedDense } = plan;
  const { patterns, weights, groups, stride, planes, significant, counts, dense, scales, contexts } =
    loadTile(runtime, tile, plan, 0, false);
  const more = loadInto(
    runtime,
    Uint32Array.of(
      scales,
      contexts,
      room.selectedRule,
      room.rules,
      room.fixed,
      room.fixedStride,
      room.costs,
      rule.ratio,
      denseShift(codedDense),
    ),
  );
  encodeExports(runtime).countPlanes(
    weights,
    depth,
    rule.threshold,
    planes,
    stride,
    significant,
    counts,
    dense,
    room.symbols,
    more,
  );
  if (room.nonzero === 0) return;
  const { mantissaBits, bias } = tile.layout;
  encodeExports(runtime).countNonzero(
    patterns,
    groups,
    mantissaBits,
    scale + bias,
    counts,
    runtime.keep(CLASS_OF),
    runtime.allocate(GROUP_BYTES * groups),
    runtime.allocate(GROUP_BYTES * groups),
    contexts,
    room.nonzero,
  );
}

import type { WasmRuntime } from '../../runtime/runtime.js';
import { FIXED_SYMBOL_COUNTS } from '../fixedSymbols.js';
import type { TileCounts, TilePlan, TileWeights } from '../interface.js';
import { SYMBOL_COUNTS } from '../survey.js';
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
}

/** Goes once through the planes of tiles as an encoder does, to count. */
export function countTiles(
  runtime: WasmRuntime,
  tiles: readonly TileWeights[],
  plan: TilePlan,
  selections: boolean,
): TileCounts {
  const { depth } = plan;
  // What is kept comes first.
  const rules = Array.from({ length: depth }, (_, j) =>
    runtime.keep(ruleBytes({ fixed: NOTHING_REPLACED, level: depth - 1 - j })),
  );
  const selectedRule = selections ? runtime.keep(ruleBytes({ fixed: undefined, level: 0 })) : 0;
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
  };
  const counts = tiles.map((tile) => runtime.scope(() => countTile(runtime, tile, plan, room)));
  const fixed = runtime.words(room.fixed, FIXED_SYMBOL_COUNTS * fixedPlanes).slice();
  return {
    symbols: runtime.words(room.symbols, 2 * SYMBOL_COUNTS * counted).slice(),
    costs: runtime.words(room.costs, 2 * counted).slice(),
    fixed: Array.from({ length: fixedPlanes }, (_, j) =>
      fixed.subarray(FIXED_SYMBOL_COUNTS * j, FIXED_SYMBOL_COUNTS * (j + 1)),
    ),
    counts,
  };
}

/** Returns the significant weights of its groups. */
function countTile(runtime: WasmRuntime, tile: TileWeights, plan: TilePlan, room: CountingRoom): Uint8Array {
  const { depth, dense: rule, codedDense } = plan;
  const { weights, groups, stride, planes, significant, counts, dense, scales, contexts } = loadTile(
    runtime,
    tile,
    plan,
    0,
    false,
  );
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
  return runtime.bytes(counts, groups).slice();
}

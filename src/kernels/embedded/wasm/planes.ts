import type { WasmRuntime } from '../../runtime/runtime.js';
import { contextRule } from '../contexts.js';
import type { EmbeddedKernels, PlaneCoding, PlaneUnit, TileUnit } from '../interface.js';
import { depositRows } from '../maskTables.js';
import { checkLength, checkSelection, GROUP_BYTES } from '../tile.js';
import type { EmbeddedExports } from './exports.js';
import {
  type ContextRange,
  loadInto,
  loadLookups,
  loadState,
  loadUnit,
  ruleBytes,
  SPREADS,
} from './memory.js';

/** The largest group of a plane: 11 codes of 12 bits, 64 bits that were kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 40;
/** A tile in `decodePlanes`: its size in u32, and the index of the one with the number of bytes read from the unit. */
const TILE_FIELDS = 11;
const USED_FIELD = 10;
/** In place of this number: groups have a context without codes. */
const NO_CODES = 2 ** 32 - 1;
const PAIR_SCRATCH_BYTES = 24;
/** Of a group in a list. */
const LISTED_BYTES = 4;
/** Addresses of the tables that the planes of all tiles share. */
interface Tables {
  readonly codes: number;
  readonly rule: number;
  readonly spreads: number;
  readonly deposits: number;
}

export function wasmEmbeddedPlanes(
  runtime: WasmRuntime,
): Pick<EmbeddedKernels, 'decodePlanes' | 'decodeSigns'> {
  const kernels = () => runtime.exports<EmbeddedExports>('embedded');

  return {
    decodePlanes(tiles, coding) {
      runtime.scope(() => {
        if (tiles.length === 0) return;
        const tables = {
          codes: loadLookups(runtime, coding, contextsOfTiles(tiles, coding)),
          rule: loadInto(runtime, ruleBytes(coding)),
          spreads: loadInto(runtime, SPREADS),
          deposits: loadInto(runtime, depositRows()),
        };
        for (let i = 0; i < tiles.length; i += 2) {
          runtime.scope(() => decodePair(tiles.slice(i, i + 2), coding, tables));
        }
      });
    },
    decodeSigns(tiles, threshold) {
      runtime.scope(() => {
        const deposits = loadInto(runtime, depositRows());
        for (const tile of tiles) runtime.scope(() => decodeSigns(tile, threshold, deposits));
      });
    },
  };

  /** Two tiles, or one. */
  function decodePair(
    tiles: readonly PlaneUnit[],
    { selection, apart }: PlaneCoding,
    { codes, rule, spreads, deposits }: Tables,
  ): void {
    const places = tiles.map(({ unit, state, plane }) => ({
      stream: loadUnit(runtime, unit, GROUP_UNIT_BYTES * state.dense.length),
      state: loadState(runtime, state),
      out: runtime.allocate(plane.length),
      list: runtime.allocate(LISTED_BYTES * state.dense.length),
    }));
    const records = runtime.allocate(4 * TILE_FIELDS * 2);
    const scratch = runtime.allocate(PAIR_SCRATCH_BYTES);
    const fields = runtime.words(records, 2 * TILE_FIELDS).fill(0);
    places.forEach(({ stream, state, out, list }, i) => {
      const { significant, signs, counts, dense, scales } = state;
      const groups = tiles[i]!.state.dense.length;
      fields.set([stream, groups, significant, signs, counts, dense, out, scales, list], i * TILE_FIELDS);
    });
    kernels().decodePlanes(
      records,
      records + 4 * TILE_FIELDS,
      codes,
      spreads,
      deposits,
      apart,
      rule,
      scratch,
    );
    tiles.forEach(({ unit, state, plane }, i) => {
      const used = fields[i * TILE_FIELDS + USED_FIELD]!;
      if (used === NO_CODES) checkSelection(selection, state.counts, state.dense);
      checkLength(unit, used);
      runtime.store(places[i]!.out, plane);
      runtime.store(places[i]!.state.bytes, state.bytes);
    });
  }

  function decodeSigns({ unit, state }: TileUnit, threshold: number, deposits: number): void {
    const groups = state.dense.length;
    const stream = loadUnit(runtime, unit, GROUP_BYTES * groups);
    const at = loadState(runtime, state);
    const list = runtime.allocate(LISTED_BYTES * groups);
    const { significant, signs, counts, dense } = at;
    checkLength(
      unit,
      kernels().decodeSigns(
        stream,
        state.count,
        groups,
        threshold,
        significant,
        signs,
        counts,
        dense,
        deposits,
        list,
      ),
    );
    runtime.store(at.bytes, state.bytes);
  }
}

/** The contexts that can occur in these tiles: the tables of all take long to copy. */
function contextsOfTiles(tiles: readonly PlaneUnit[], coding: PlaneCoding): ContextRange | undefined {
  const { stride, offset, lastRatio } = contextRule(coding);
  if (stride === 0) return undefined;
  let least = 255;
  let most = 0;
  for (const { state } of tiles) {
    least = Math.min(least, state.leastScale);
    most = Math.max(most, state.mostScale);
  }
  const ratioOf = (scale: number) => Math.min(Math.max(scale - offset, 0), lastRatio);
  return [stride * ratioOf(least), stride * (ratioOf(most) + 1)];
}

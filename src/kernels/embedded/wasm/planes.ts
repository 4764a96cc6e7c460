import type { WasmRuntime } from '../../runtime/runtime.js';
import { contextRule } from '../contexts.js';
import type { DenseRule, EmbeddedKernels, PlaneCoding, PlaneUnit, TileUnit } from '../interface.js';
import { checkLength, checkSelection, GROUP, GROUP_BYTES, stateBytes } from '../tile.js';
import type { EmbeddedExports } from './exports.js';
import {
  allocateUnit,
  type ContextRange,
  checkLoadable,
  denseShift,
  loadLookups,
  placesOf,
  ruleBytes,
  SPREADS,
} from './memory.js';

/** The largest group of a plane: 11 codes of 12 bits, 64 bits that were kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 40;
/** A tile in `decodePlanes`: its size in u32, and the index of the one with the number of bytes read from the unit. */
const TILE_FIELDS = 12;
const USED_FIELD = 10;
const PAIR_SCRATCH_BYTES = 32;
/** Of a group in a list: its number, a mask. */
const LISTED_BYTES = 4;
const MASK_BYTES = 8;
/** Tables of what spreads bits to the places of weights. */
const SPREAD_BYTES = 192;

/** Room for one tile after another of so many groups at most: making it anew for each would take as long as a small tile. */
interface Room {
  readonly stream: number;
  readonly state: number;
  readonly plane: number;
  readonly list: number;
  readonly masks: number;
  /** As `assembly/planes.ts` has it. */
  readonly record: number;
}

export function wasmEmbeddedPlanes(
  runtime: WasmRuntime,
): Pick<EmbeddedKernels, 'decodePlanes' | 'decodeSigns'> {
  return {
    decodePlanes(tiles, coding) {
      runtime.scope(() => {
        if (tiles.length > 0) decodePlanes(tiles, coding);
      });
    },
    decodeSigns(tiles, rule, level) {
      runtime.scope(() => decodeSigns(tiles, rule, level));
    },
  };

  function decodePlanes(tiles: readonly PlaneUnit[], coding: PlaneCoding): void {
    const { decodePlanes } = runtime.exports<EmbeddedExports>('embedded');
    // What is kept comes first.
    const rule = runtime.keep(ruleBytes(coding));
    const spreads = runtime.keep(SPREADS);
    const codes = loadLookups(runtime, coding, contextsOfTiles(tiles, coding));
    const tables = runtime.allocate(SPREAD_BYTES);
    const scratch = runtime.allocate(PAIR_SCRATCH_BYTES);
    const groups = mostGroups(tiles);
    const room = allocateRoom(groups, GROUP_UNIT_BYTES);
    const otherRoom = allocateRoom(groups, GROUP_UNIT_BYTES);
    // Valid to the end, because nothing more is allocated.
    const fields = runtime.words(room.record, TILE_FIELDS);
    const otherFields = runtime.words(otherRoom.record, TILE_FIELDS);
    for (let i = 0; i < tiles.length; i += 2) {
      const tile = tiles[i]!;
      const other = tiles[i + 1];
      load(tile, room, fields, coding);
      if (other !== undefined) load(other, otherRoom, otherFields, coding);
      else otherFields.fill(0);
      decodePlanes(
        room.record,
        otherRoom.record,
        codes,
        spreads,
        tables,
        coding.apart,
        denseShift(coding.codedDense),
        rule,
        scratch,
      );
      store(tile, room, fields[USED_FIELD]!);
      if (other !== undefined) store(other, otherRoom, otherFields[USED_FIELD]!);
    }
  }

  function allocateRoom(groups: number, groupUnitBytes: number): Room {
    return {
      stream: allocateUnit(runtime, groupUnitBytes * groups),
      state: runtime.allocate(stateBytes(GROUP * groups)),
      plane: runtime.allocate(GROUP_BYTES * groups),
      list: runtime.allocate(LISTED_BYTES * (groups + 1)),
      masks: runtime.allocate(MASK_BYTES * (groups + 1)),
      record: runtime.allocate(4 * TILE_FIELDS),
    };
  }

  function load(
    { unit, state }: TileUnit,
    room: Room,
    fields: Uint32Array,
    { fixed, selection }: PlaneCoding,
  ): void {
    if (!fixed) checkSelection(selection, state.counts, state.dense);
    const groups = state.dense.length;
    checkLoadable(unit, GROUP_UNIT_BYTES * groups);
    runtime.load(unit, room.stream);
    runtime.load(state.bytes, room.state);
    const { significant, signs, counts, dense, scales } = placesOf(state, room.state);
    fields[0] = room.stream;
    fields[1] = groups;
    fields[2] = significant;
    fields[3] = signs;
    fields[4] = counts;
    fields[5] = dense;
    fields[6] = room.plane;
    fields[7] = scales;
    fields[8] = room.list;
    fields[11] = room.masks;
  }

  function store({ unit, state, plane }: PlaneUnit, room: Room, used: number): void {
    checkLength(unit, used);
    runtime.store(room.plane, plane);
    runtime.store(room.state, state.bytes);
  }

  function decodeSigns(tiles: readonly TileUnit[], { threshold, ratio }: DenseRule, level: number): void {
    const leastScale = Math.max(0, ratio + 4 * level);
    const { decodeSigns } = runtime.exports<EmbeddedExports>('embedded');
    const tables = runtime.allocate(SPREAD_BYTES);
    const room = allocateRoom(mostGroups(tiles), GROUP_BYTES);
    for (const { unit, state } of tiles) {
      const groups = state.dense.length;
      checkLoadable(unit, GROUP_BYTES * groups);
      runtime.load(unit, room.stream);
      runtime.load(state.bytes, room.state);
      const { significant, signs, counts, dense, scales } = placesOf(state, room.state);
      const used = decodeSigns(
        room.stream,
        state.count,
        groups,
        threshold,
        leastScale,
        significant,
        signs,
        counts,
        dense,
        scales,
        tables,
        room.list,
        room.masks,
      );
      checkLength(unit, used);
      runtime.store(room.state, state.bytes);
    }
  }
}

function mostGroups(tiles: readonly TileUnit[]): number {
  return tiles.reduce((most, { state }) => Math.max(most, state.dense.length), 0);
}

/** The contexts that can occur in these tiles: few codes are needed of all. */
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

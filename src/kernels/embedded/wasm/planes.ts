import type { WasmRuntime } from '../../runtime/runtime.js';
import { contextRule } from '../contexts.js';
import type { DenseRule, EmbeddedKernels, PlaneCoding, PlaneUnit, TileUnit } from '../interface.js';
import { checkLength, checkSelection, GROUP, GROUP_BYTES, stateBytes } from '../tile.js';
import { type ContextRange, loadLookups } from './codeTables.js';
import type { EmbeddedExports } from './exports.js';
import { allocateUnits, checkLoadable, denseShift, ruleBytes, SPREADS } from './memory.js';

/** The largest group of a plane: 11 codes of 12 bits, 64 bits that were kept apart, 64 signs. */
const GROUP_UNIT_BYTES = 40;
/** The most groups in the memory of the kernels together, unless two tiles have more: they stay in a near cache. */
const GROUPS_AT_ONCE = 1024;
/** Of a tile in a list: u32, bytes of its unit, and weights. */
const TILE_FIELDS = 2;
/** What `assembly/planes.ts` knows of a tile: u32; indexes of two of them. */
const RECORD_FIELDS = 12;
const LIST_FIELD = 8;
const MASKS_FIELD = 11;
const PAIR_SCRATCH_BYTES = 32;
/** Of a group in a list: its number, a mask. */
const LISTED_BYTES = 4;
const MASK_BYTES = 8;
/** Tables of what spreads bits to the places of weights. */
const SPREAD_BYTES = 192;

/** Room for some tiles after others: making it anew for each would take as long as a small tile. */
interface Room {
  readonly tiles: number;
  readonly stream: number;
  readonly state: number;
  readonly plane: number;
  readonly list: number;
  readonly masks: number;
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
    const records = runtime.allocate(2 * 4 * RECORD_FIELDS);
    const { list: otherList, masks: otherMasks } = allocateLists(mostGroups(tiles));
    if (!coding.fixed) {
      for (const { state } of tiles) checkSelection(coding.selection, state.counts, state.dense);
    }
    decode(tiles, GROUP_UNIT_BYTES, (some, room) => {
      const fields = runtime.words(records, 2 * RECORD_FIELDS);
      fields[LIST_FIELD] = room.list;
      fields[MASKS_FIELD] = room.masks;
      fields[RECORD_FIELDS + LIST_FIELD] = otherList;
      fields[RECORD_FIELDS + MASKS_FIELD] = otherMasks;
      decodePlanes(
        room.tiles,
        some.length,
        room.stream,
        room.state,
        room.plane,
        records,
        codes,
        spreads,
        tables,
        coding.apart,
        denseShift(coding.codedDense),
        rule,
        scratch,
      );
      store(runtime, room.plane, some, planeOf);
    });
  }

  function decodeSigns(tiles: readonly TileUnit[], { threshold, ratio }: DenseRule, level: number): void {
    const leastScale = Math.max(0, ratio + 4 * level);
    const { decodeSigns } = runtime.exports<EmbeddedExports>('embedded');
    const tables = runtime.allocate(SPREAD_BYTES);
    decode(tiles, GROUP_BYTES, (some, { tiles, stream, state, list, masks }) => {
      decodeSigns(tiles, some.length, stream, state, threshold, leastScale, tables, list, masks);
    });
  }

  /** @param run decodes some tiles, whose states are then stored */
  function decode<T extends TileUnit>(
    tiles: readonly T[],
    groupUnitBytes: number,
    run: (some: readonly T[], room: Room) => void,
  ): void {
    const most = mostGroups(tiles);
    const groupsAtOnce = Math.max(GROUPS_AT_ONCE, 2 * most);
    const room = allocateRoom(Math.min(tiles.length, groupsAtOnce), groupsAtOnce, most, groupUnitBytes);
    for (let first = 0; first < tiles.length; ) {
      let end = first;
      for (let groups = 0; end < tiles.length; end++) {
        groups += tiles[end]!.state.groups;
        if (groups > groupsAtOnce) break;
      }
      const some = tiles.slice(first, end);
      const fields = runtime.words(room.tiles, TILE_FIELDS * some.length);
      let at = 0;
      for (const { unit, state } of some) {
        checkLoadable(unit, groupUnitBytes * state.groups);
        fields[at++] = unit.length;
        fields[at++] = state.count;
      }
      load(runtime, some, unitOf, room.stream);
      load(runtime, some, stateOf, room.state);
      run(some, room);
      some.forEach(({ unit }, i) => {
        checkLength(unit, fields[TILE_FIELDS * i]!);
      });
      store(runtime, room.state, some, stateOf);
      first = end;
    }
  }

  function allocateRoom(tiles: number, groups: number, most: number, groupUnitBytes: number): Room {
    return {
      tiles: runtime.allocate(4 * TILE_FIELDS * tiles),
      stream: allocateUnits(runtime, tiles, groupUnitBytes * groups, groupUnitBytes * most),
      state: runtime.allocate(stateBytes(GROUP * groups)),
      plane: runtime.allocate(GROUP_BYTES * groups),
      ...allocateLists(most),
    };
  }

  function allocateLists(groups: number): Pick<Room, 'list' | 'masks'> {
    return {
      list: runtime.allocate(LISTED_BYTES * (groups + 1)),
      masks: runtime.allocate(MASK_BYTES * (groups + 1)),
    };
  }
}

const unitOf = ({ unit }: TileUnit) => unit;
const stateOf = ({ state }: TileUnit) => state.bytes;
const planeOf = ({ plane }: PlaneUnit) => plane;

/** Copies arrays of tiles to an address, one after another. */
function load<T>(
  runtime: WasmRuntime,
  tiles: readonly T[],
  arrayOf: (tile: T) => Uint8Array,
  address: number,
): void {
  forRuns(tiles, arrayOf, (run) => {
    runtime.load(run, address);
    address += run.length;
  });
}

/** The inverse. */
function store<T>(
  runtime: WasmRuntime,
  address: number,
  tiles: readonly T[],
  arrayOf: (tile: T) => Uint8Array,
): void {
  forRuns(tiles, arrayOf, (run) => {
    runtime.store(address, run);
    address += run.length;
  });
}

/** Arrays of tiles; those that follow each other in one buffer as one. */
function forRuns<T>(
  tiles: readonly T[],
  arrayOf: (tile: T) => Uint8Array,
  visit: (run: Uint8Array) => void,
): void {
  for (let i = 0; i < tiles.length; ) {
    const first = arrayOf(tiles[i]!);
    const { buffer, byteOffset } = first;
    let end = byteOffset + first.length;
    const alone = i + 1;
    for (i++; i < tiles.length; i++) {
      const next = arrayOf(tiles[i]!);
      if (next.buffer !== buffer || next.byteOffset !== end) break;
      end += next.length;
    }
    visit(i === alone ? first : new Uint8Array(buffer, byteOffset, end - byteOffset));
  }
}

function mostGroups(tiles: readonly TileUnit[]): number {
  return tiles.reduce((most, { state }) => Math.max(most, state.groups), 0);
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

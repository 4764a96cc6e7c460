import type { OwnBytes } from '../../bytes/binary.js';
import type { ReusedMemory } from '../../bytes/reusedMemory.js';
import { free } from '../../bytes/sharedMemory.js';
import { FormatError } from '../../errors.js';
import type { PlaneCoding, PlaneUnit, TileState } from '../../kernels/embedded/interface.js';
import {
  checkPadding,
  DENSE,
  GROUP,
  GROUP_BYTES,
  groupsOf,
  newTileState,
  setGroups,
  stateBytes,
} from '../../kernels/embedded/tile.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { DecodeRequest } from '../encoding.js';
import type { StreamHeader } from './streamHeader.js';
import type { TileOrder } from './tileOrder.js';
import type { Pass, UnitSequence } from './unitSequence.js';

/** A plane of which the bits of some groups, the first of the tile, have arrived. */
export interface BegunPlane {
  readonly plane: Uint8Array;
  readonly groups: number;
}

/** What is known of a tile. */
export interface Tile {
  readonly state: TileState;
  /** Those that have arrived, the highest first. */
  readonly planes: Uint8Array[];
  /** All groups are dense: from here on, planes are stored uncoded. */
  plain: boolean;
  /** Of which only the first groups have arrived. */
  begun: BegunPlane | undefined;
}

/** A unit, or the part of it that is of some of its tile's groups. */
export interface UnitPart {
  readonly unit: Uint8Array;
  readonly tile: number;
  /** The first group. */
  readonly from: number;
  /** The group before which it ends; undefined where it goes on to the end of the tile. */
  readonly cut: number | undefined;
}

/** Weights whose units are decoded in a step: a few milliseconds. */
export const STEP_WEIGHTS: number = 2 ** 22;

/** The tiles of a tensor that are wanted, and what decodes their units. */
export class Tiles {
  readonly #stream: StreamHeader;
  readonly #elements: number;
  readonly #sequence: UnitSequence;
  readonly #order: TileOrder;
  readonly #kernels: Kernels<'embedded'>;
  readonly #memory: ReusedMemory | undefined;
  /** Those with units, at their indexes. */
  #tiles: Tile[] = [];
  /** Memory of their states, and of planes that units do not hold uncoded, and the last tile that uses it. */
  #made: { readonly buffer: ArrayBufferLike; readonly last: number }[] = [];
  /** Some of it is free, or is being made again: units must be decoded anew. */
  #spent = false;

  constructor(
    stream: StreamHeader,
    elements: number,
    sequence: UnitSequence,
    order: TileOrder,
    { kernels, stateMemory }: Pick<DecodeRequest<'embedded'>, 'kernels' | 'stateMemory'>,
  ) {
    this.#stream = stream;
    this.#elements = elements;
    this.#sequence = sequence;
    this.#order = order;
    this.#kernels = kernels;
    this.#memory = stateMemory;
  }

  of(index: number): Tile {
    if (this.#tiles[index] === undefined) this.#begin(index);
    return this.#tiles[index]!;
  }

  get spent(): boolean {
    return this.#spent;
  }

  /** Forgets all units. Until they have been decoded anew, what is left of that counts for nothing. */
  clear(): void {
    this.free();
    this.#tiles = [];
    this.#spent = true;
  }

  /** All units that have arrived have been decoded again. */
  restored(): void {
    this.#spent = false;
  }

  /** Frees the states and the planes that only tiles up to this one use. */
  free(tile = Number.POSITIVE_INFINITY): void {
    const done = this.#made.filter(({ last }) => last <= tile).map(({ buffer }) => buffer);
    if (done.length === 0) return;
    if (this.#memory === undefined) free(done);
    else for (const buffer of done) this.#memory.give(buffer);
    this.#made = this.#made.filter(({ last }) => last > tile);
    this.#spent = true;
  }

  /** Bytes that are overwritten before they are read, of tiles up to `last`. */
  #make(length: number, last: number): Uint8Array {
    const bytes = this.#memory?.take(length) ?? new Uint8Array(length);
    this.#made.push({ buffer: bytes.buffer, last });
    return bytes;
  }

  /** A tile with its neighbours, when its first unit is decoded: all of a large tensor at once would take long. */
  #begin(index: number): void {
    const { firstTile, endTile, tileSize } = this.#sequence;
    const size = stateBytes(tileSize);
    const shared = STEP_WEIGHTS / tileSize;
    const first = index - ((index - firstTile) % shared);
    const end = Math.min(first + shared, endTile);
    const bytes = this.#make(size * (end - first), end - 1);
    // New memory is zeros.
    if (this.#memory !== undefined) bytes.fill(0);
    for (let tile = first; tile < end; tile++) {
      const { count } = this.#sequence.range(tile);
      const own = bytes.subarray(
        (tile - first) * size,
        (tile - first) * size + stateBytes(count),
      ) as OwnBytes;
      const scales = this.#order.isUniform ? this.#stream.base : this.#order.scalesOf(tile * tileSize, count);
      const state = newTileState(count, scales, undefined, own);
      this.#tiles[tile] = { state, planes: [], plain: false, begun: undefined };
    }
  }

  /**
   * Units of one pass that follow each other, some in parts.
   * @throws FormatError, also where no unit can be cut
   */
  decodePass(pass: Pass, parts: readonly UnitPart[]): void {
    const { firstTile, endTile } = this.#sequence;
    for (const part of parts) if (!isWhole(part)) this.#checkPart(pass, part);
    const wanted = parts.filter(({ tile }) => tile >= firstTile && tile < endTile);
    if (pass.kind === 'remainder' || wanted.length === 0) return;
    if (pass.kind === 'plane') {
      this.#decodePlanes(wanted, this.#stream.planes[pass.plane]!);
      return;
    }
    const work = wanted.map((part) => ({ unit: part.unit, state: this.#stateOf(part) }));
    this.#kernels.embedded.decodeSigns(work, this.#stream.dense, this.#stream.planes[pass.plane]!.level);
    wanted.forEach((part, i) => {
      if (!isWhole(part)) setGroups(this.of(part.tile).state, part.from, work[i]!.state);
    });
  }

  #checkPart(pass: Pass, { tile, from, cut }: UnitPart): void {
    const { tileSize } = this.#sequence;
    const all = Math.ceil(Math.min(tileSize, this.#elements - tile * tileSize) / GROUP);
    if ((cut ?? all) > from && (cut === undefined || cut < all) && pass.kind !== 'remainder') return;
    throw new FormatError('Cannot add the fragment: its last unit cannot end there', {
      expected: pass.kind === 'remainder' ? 'a whole unit' : `groups from ${from + 1} to ${all - 1}`,
      actual: cut,
    });
  }

  /** What a part changes: of some groups, it is a copy. */
  #stateOf(part: UnitPart): TileState {
    const { state } = this.of(part.tile);
    return isWhole(part) ? state : groupsOf(state, part.from, part.cut ?? state.groups);
  }

  #decodePlanes(parts: readonly UnitPart[], coding: PlaneCoding): void {
    const coded: UnitPart[] = [];
    let size = 0;
    for (const part of parts) {
      const tile = this.of(part.tile);
      if (isWhole(part) && isPlain(tile, part.unit)) {
        checkPadding(part.unit, tile.state.count);
        tile.planes.push(part.unit);
      } else {
        coded.push(part);
        if (isWhole(part)) size += GROUP_BYTES * tile.state.groups;
      }
    }
    if (coded.length === 0) return;
    // One array for all, because many take long to make, and to free.
    const bytes = this.#make(size, coded.at(-1)!.tile);
    let used = 0;
    const work = coded.map((part): PlaneUnit => {
      const state = this.#stateOf(part);
      const length = GROUP_BYTES * state.groups;
      if (!isWhole(part)) {
        const start = GROUP_BYTES * part.from;
        return { unit: part.unit, state, plane: this.#begunPlane(part.tile).subarray(start, start + length) };
      }
      used += length;
      return { unit: part.unit, state, plane: bytes.subarray(used - length, used) };
    });
    this.#kernels.embedded.decodePlanes(work, coding);
    coded.forEach((part, i) => {
      const { state, plane } = work[i]!;
      if (isWhole(part)) this.#addPlane(part.tile, plane);
      else this.#endPart(part, state);
    });
  }

  #begunPlane(index: number): Uint8Array {
    const tile = this.of(index);
    tile.begun ??= { plane: this.#make(GROUP_BYTES * tile.state.groups, index), groups: 0 };
    return tile.begun.plane;
  }

  #endPart({ tile: index, from, cut }: UnitPart, state: TileState): void {
    const tile = this.of(index);
    const { plane } = tile.begun!;
    setGroups(tile.state, from, state);
    tile.begun = cut === undefined ? undefined : { plane, groups: cut };
    if (cut === undefined) this.#addPlane(index, plane);
  }

  #addPlane(index: number, plane: Uint8Array): void {
    const { state, planes } = this.of(index);
    checkPadding(plane, state.count);
    planes.push(plane);
  }
}

function isWhole({ from, cut }: UnitPart): boolean {
  return from === 0 && cut === undefined;
}

/** Whether a plane of the tile is stored uncoded. */
function isPlain(tile: Tile, unit: Uint8Array): boolean {
  if (unit.length !== GROUP_BYTES * tile.state.groups) return false;
  tile.plain ||= isDense(tile.state.dense);
  return tile.plain;
}

/** In a loop, because a call for each group takes longer. */
function isDense(groups: Uint8Array): boolean {
  for (let group = 0; group < groups.length; group++) if (groups[group] !== DENSE) return false;
  return true;
}

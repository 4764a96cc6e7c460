import type { OwnBytes } from '../../bytes/binary.js';
import type { ReusedMemory } from '../../bytes/reusedMemory.js';
import { free } from '../../bytes/sharedMemory.js';
import { FormatError } from '../../errors.js';
import type { PlaneUnit, TileState, TileUnit } from '../../kernels/embedded/interface.js';
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
import type { StreamHeader } from './format.js';
import type { TileOrder } from './tileOrder.js';
import type { UnitSequence } from './unitSequence.js';

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

  /**
   * A part of unit `index`: of the groups from number `from` to before `cut`, or to the end.
   * @throws FormatError where no unit can be cut
   */
  decodeGroups(index: number, unit: Uint8Array, from: number, cut: number | undefined): void {
    const { tiles, passes, tileSize, firstTile, endTile } = this.#sequence;
    const number = index % tiles;
    const pass = passes[Math.floor(index / tiles)]!;
    const all = Math.ceil(Math.min(tileSize, this.#elements - number * tileSize) / GROUP);
    const to = cut ?? all;
    if (to <= from || (cut !== undefined && cut >= all) || pass.kind === 'remainder') {
      throw new FormatError('Cannot add the fragment: its last unit cannot end there', {
        expected: pass.kind === 'remainder' ? 'a whole unit' : `groups from ${from + 1} to ${all - 1}`,
        actual: cut,
      });
    }
    if (number < firstTile || number >= endTile) return;
    const tile = this.of(number);
    const state = groupsOf(tile.state, from, to);
    const coding = this.#stream.planes[pass.plane]!;
    if (pass.kind === 'signs') {
      this.#kernels.embedded.decodeSigns([{ unit, state }], this.#stream.dense, coding.level);
    } else {
      const plane = new Uint8Array(GROUP_BYTES * state.groups);
      this.#kernels.embedded.decodePlanes([{ unit, state, plane }], coding);
      tile.begun = this.#withGroups(number, plane, from, to);
      if (cut === undefined) {
        checkPadding(tile.begun.plane, tile.state.count);
        tile.planes.push(tile.begun.plane);
        tile.begun = undefined;
      }
    }
    setGroups(tile.state, from, state);
  }

  #withGroups(number: number, groups: Uint8Array, from: number, to: number): BegunPlane {
    const { state, begun } = this.of(number);
    const plane = begun?.plane ?? this.#make(GROUP_BYTES * state.groups, number);
    plane.set(groups, GROUP_BYTES * from);
    return { plane, groups: to };
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

  /** Units of one pass, from number `first` on. */
  decodePass(first: number, all: readonly Uint8Array[]): void {
    const { tiles, passes, firstTile, endTile } = this.#sequence;
    const pass = passes[Math.floor(first / tiles)]!;
    if (pass.kind === 'remainder') return;
    const passStart = first - (first % tiles);
    const begin = Math.max(first, passStart + firstTile);
    const stop = Math.max(begin, Math.min(first + all.length, passStart + endTile));
    const { level } = this.#stream.planes[pass.plane]!;
    if (pass.kind === 'signs') {
      const work: TileUnit[] = [];
      for (let unit = begin; unit < stop; unit++) {
        work.push({ unit: all[unit - first]!, state: this.of(unit - passStart).state });
      }
      this.#kernels.embedded.decodeSigns(work, this.#stream.dense, level);
      return;
    }
    const coded: { readonly tile: Tile; readonly unit: Uint8Array }[] = [];
    let size = 0;
    for (let number = begin; number < stop; number++) {
      const tile = this.of(number - passStart);
      const unit = all[number - first]!;
      if (isPlain(tile, unit)) {
        checkPadding(unit, tile.state.count);
        tile.planes.push(unit);
      } else {
        coded.push({ tile, unit });
        size += GROUP_BYTES * tile.state.groups;
      }
    }
    if (coded.length > 0) this.#decodePlanes(coded, size, stop - passStart - 1, pass.plane);
  }

  /** @param size bytes of all planes */
  #decodePlanes(
    tiles: readonly { readonly tile: Tile; readonly unit: Uint8Array }[],
    size: number,
    last: number,
    number: number,
  ): void {
    // One array for all, because many take long to make, and to free.
    const bytes = this.#make(size, last);
    let used = 0;
    const work = tiles.map(({ tile: { state, planes }, unit }): PlaneUnit => {
      const plane = bytes.subarray(used, used + GROUP_BYTES * state.groups);
      used += plane.length;
      planes.push(plane);
      return { unit, state, plane };
    });
    this.#kernels.embedded.decodePlanes(work, this.#stream.planes[number]!);
    for (const { state, plane } of work) checkPadding(plane, state.count);
  }
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

import type { OwnBytes } from '../../bytes/binary.js';
import type { ReusedMemory } from '../../bytes/reusedMemory.js';
import { free } from '../../bytes/sharedMemory.js';
import { FormatError } from '../../errors.js';
import type { TileState, TileStep } from '../../kernels/embedded/interface.js';
import {
  checkPadding,
  DENSE,
  GROUP,
  GROUP_BYTES,
  newTileState,
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
  readonly pass: Pass;
  readonly tile: number;
  /** The first group. */
  readonly from: number;
  /** The group before which it ends; undefined where it goes on to the end of the tile. */
  readonly cut: number | undefined;
}

/** Of a pass whose units are decoded as they come. */
interface CodedPart extends UnitPart {
  readonly pass: Exclude<Pass, { readonly kind: 'remainder' }>;
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
  /** Those with units, counted from the first that is wanted. */
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
    const place = index - this.#sequence.firstTile;
    if (this.#tiles[place] === undefined) this.#begin(index);
    return this.#tiles[place]!;
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
  free(tile = Infinity): void {
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
      this.#tiles[tile - firstTile] = { state, planes: [], plain: false, begun: undefined };
    }
  }

  /**
   * Units that follow each other, some in parts.
   * @throws FormatError, also where no unit can be cut
   */
  decode(parts: readonly UnitPart[]): void {
    const { firstTile, endTile } = this.#sequence;
    let coded: CodedPart[] = [];
    const begun = new Set<number>();
    for (const part of parts) {
      if (!isWhole(part)) this.#checkPart(part);
      const { unit, pass, tile: index } = part;
      if (!isCoded(part) || index < firstTile || index >= endTile) continue;
      const tile = this.of(index);
      const mayBePlain =
        pass.kind === 'plane' && isWhole(part) && unit.length === GROUP_BYTES * tile.state.groups;
      // What comes before tells whether it is.
      if (mayBePlain && begun.has(index)) {
        this.#decodeCoded(coded);
        coded = [];
        begun.clear();
      }
      if (mayBePlain && isPlain(tile)) {
        checkPadding(unit, tile.state.count);
        tile.planes.push(unit);
      } else {
        coded.push(part);
        begun.add(index);
      }
    }
    if (coded.length > 0) this.#decodeCoded(coded);
  }

  #checkPart({ pass, tile, from, cut }: UnitPart): void {
    const { tileSize } = this.#sequence;
    const all = Math.ceil(Math.min(tileSize, this.#elements - tile * tileSize) / GROUP);
    if ((cut ?? all) > from && (cut === undefined || cut < all) && pass.kind !== 'remainder') return;
    throw new FormatError('Cannot add the fragment: its last unit cannot end there', {
      expected: pass.kind === 'remainder' ? 'a whole unit' : `groups from ${from + 1} to ${all - 1}`,
      actual: cut,
    });
  }

  #decodeCoded(parts: readonly CodedPart[]): void {
    const { planes: codings, dense } = this.#stream;
    let size = 0;
    let last = 0;
    for (const { pass, from, tile } of parts) {
      if (pass.kind === 'plane' && from === 0) size += GROUP_BYTES * this.of(tile).state.groups;
      last = Math.max(last, tile);
    }
    // One array for all, because many take long to make, and to free.
    const bytes = size > 0 ? this.#make(size, last) : new Uint8Array(0);
    let used = 0;
    const ended: { readonly plane: Uint8Array; readonly count: number }[] = [];
    const steps: TileStep[] = [];
    for (const part of parts) {
      const { unit, pass, from, cut } = part;
      const tile = this.of(part.tile);
      const { state } = tile;
      const to = cut ?? state.groups;
      let bits: Uint8Array | undefined;
      if (pass.kind === 'plane') {
        if (from === 0) {
          const start = used;
          used += GROUP_BYTES * state.groups;
          tile.begun = { plane: bytes.subarray(start, used), groups: 0 };
        }
        const { plane } = tile.begun!;
        bits = isWhole(part) ? plane : plane.subarray(GROUP_BYTES * from, GROUP_BYTES * to);
        tile.begun = cut === undefined ? undefined : { plane, groups: cut };
        if (cut === undefined) {
          tile.planes.push(plane);
          ended.push({ plane, count: state.count });
        }
      }
      // Not by spreads, which take several times as long.
      steps.push({ unit, state, from, to, coding: codings[pass.plane]!, plane: bits });
    }
    this.#kernels.embedded.decodeSteps(steps, dense);
    for (const { plane, count } of ended) checkPadding(plane, count);
  }
}

function isCoded(part: UnitPart): part is CodedPart {
  return part.pass.kind !== 'remainder';
}

function isWhole({ from, cut }: UnitPart): boolean {
  return from === 0 && cut === undefined;
}

/** Whether planes of the tile are stored uncoded. */
function isPlain(tile: Tile): boolean {
  tile.plain ||= isDense(tile.state.dense);
  return tile.plain;
}

/** In a loop, because a call for each group takes longer. */
function isDense(groups: Uint8Array): boolean {
  for (let group = 0; group < groups.length; group++) if (groups[group] !== DENSE) return false;
  return true;
}

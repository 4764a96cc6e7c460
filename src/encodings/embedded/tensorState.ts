import type { Steps } from '../../async/steps.js';
import type { OwnBytes } from '../../bytes/binary.js';
import type { ReusedMemory } from '../../bytes/reusedMemory.js';
import { free } from '../../bytes/sharedMemory.js';
import { FormatError } from '../../errors.js';
import type { FloatLayout, PlaneUnit, RowPart, TileState } from '../../kernels/embedded/interface.js';
import { checkPadding, DENSE, inOrder, newTileState, stateBytes } from '../../kernels/embedded/tile.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { DecodeRequest, ElementRange } from '../encoding.js';
import { checkScale, floatLayout } from './elements.js';
import { parseExceptions } from './exceptions.js';
import { type StreamHeader, unpackScales } from './format.js';
import { TileOrder } from './tileOrder.js';
import { type Pass, UnitSequence } from './unitSequence.js';

/** The progress of a tile. */
export interface TileProgress {
  /** Planes that have arrived. */
  readonly depth: number;
  /** Its remainder has arrived: the elements are known. */
  readonly exact: boolean;
}

/** What is known of a tile. */
interface Tile {
  readonly state: TileState;
  /** Those that have arrived, the highest first. */
  readonly planes: Uint8Array[];
  /** All groups are dense: from here on, planes are stored uncoded. */
  plain: boolean;
}

/**
 * What the units so far tell of a tensor's weights. Units are kept as views: planes that they hold uncoded, and
 * remainders, are read in place each time the tensor is reconstructed.
 */
export class TensorState {
  readonly stream: StreamHeader;
  readonly sequence: UnitSequence;
  readonly order: TileOrder;
  readonly #layout: FloatLayout | undefined;
  readonly #kernels: Kernels<'embedded'>;
  readonly #memory: ReusedMemory | undefined;
  readonly #units: Uint8Array[] = [];
  /** How many of them have been decoded. */
  #decoded = 0;
  /** Planes among the first passes, for each number of these. */
  readonly #depths: readonly number[];
  /** Those with units, at their indexes. */
  #tiles: Tile[] = [];
  /** Memory of their states, and of planes that units do not hold uncoded. */
  #made: ArrayBufferLike[] = [];

  /** @param range the elements that are wanted: units of other tiles are not decoded */
  constructor(
    stream: StreamHeader,
    elements: number,
    range: ElementRange,
    { dtype, kernels, stateMemory }: Pick<DecodeRequest<'embedded'>, 'dtype' | 'kernels' | 'stateMemory'>,
  ) {
    this.stream = stream;
    this.#memory = stateMemory;
    this.#kernels = kernels;
    this.#layout = floatLayout(dtype);
    checkScale(stream, dtype);
    this.sequence = new UnitSequence(stream, elements, this.#layout === undefined, range);
    checkLength(this.sequence, elements);
    const { passes } = this.sequence;
    this.#depths = Array.from({ length: passes.length + 1 }, (_, count) =>
      planesAmong(passes.slice(0, count)),
    );
    const { base, scales } = stream;
    this.order = new TileOrder(base, scales && unpackScales(scales, elements));
  }

  /** Units that have arrived: the first of the sequence. */
  get units(): number {
    return this.#units.length;
  }

  /**
   * Takes the next units of the sequence. Between two steps, the tensor is that of the units so far.
   * @throws FormatError; the state is then as it was before
   */
  *advance(units: readonly Uint8Array[]): Steps<void> {
    const before = this.#units.length;
    for (const unit of units) this.#units.push(unit);
    try {
      yield* this.#decode();
    } catch (error) {
      // A failed decode corrupts the state: rebuild it from the earlier units.
      yield* this.retreat(before);
      throw error;
    }
  }

  /** Goes back to the first `units` units. */
  *retreat(units: number): Steps<void> {
    this.#units.length = units;
    this.#tiles = [];
    this.#made = [];
    this.#decoded = 0;
    yield* this.#decode();
  }

  /** Frees the states and the planes of the tiles. */
  free(): void {
    if (this.#memory === undefined) free(this.#made);
    else for (const buffer of this.#made) this.#memory.give(buffer);
    this.#made = [];
  }

  /** Bytes that are overwritten before they are read. */
  #make(length: number): Uint8Array {
    const bytes = this.#memory?.take(length) ?? new Uint8Array(length);
    this.#made.push(bytes.buffer);
    return bytes;
  }

  progress(tile: number): TileProgress {
    const { passes } = this.sequence;
    const count = this.sequence.passesOf(tile, this.#decoded);
    return { depth: this.#depths[count]!, exact: passes[count - 1]?.kind === 'remainder' };
  }

  /** The last unit of a tile that has arrived. */
  lastUnitOf(tile: number): number {
    const { tiles } = this.sequence;
    return (this.sequence.passesOf(tile, this.#decoded) - 1) * tiles + tile;
  }

  /** The state of a tile's weights beside its planes. */
  tile(tile: number): TileState {
    return this.#tileOf(tile).state;
  }

  /** The planes of a tile that have arrived. */
  planes(tile: number): readonly Uint8Array[] {
    return this.#tileOf(tile).planes;
  }

  /**
   * The bits of the elements of a tile whose remainder has arrived, in the order of the tensor.
   * @throws FormatError, because remainders are not decoded before
   */
  readPatterns(tile: number, out: Uint16Array | Uint32Array): void {
    const layout = this.#layout!;
    const { tiles, passes } = this.sequence;
    const unit = this.#units[(passes.length - 1) * tiles + tile]!;
    const { count, rest, restore } = parseExceptions(unit, out.length, layout.bytes);
    const { scale, nonzero } = this.stream;
    const known = { state: this.tile(tile), planes: this.planes(tile), layout, scale, selection: nonzero };
    const { decodeRemainder } = this.#kernels.embedded;
    const parts = this.parts(tile);
    if (count === 0) {
      decodeRemainder(rest, known, out, parts);
      return;
    }
    inOrder(parts, out, (sorted) => {
      decodeRemainder(rest, known, sorted, undefined);
      restore(sorted);
    });
  }

  /** What brings the weights of a tile from its own order into that of the tensor; undefined where it is the same. */
  parts(tile: number): readonly RowPart[] | undefined {
    if (this.order.isNatural) return undefined;
    const { count } = this.sequence.range(tile);
    return this.order.parts(tile * this.sequence.tileSize, count);
  }

  /** Decodes the units that have not been decoded. */
  *#decode(): Steps<void> {
    const { tiles, tileSize } = this.sequence;
    const stepUnits = STEP_WEIGHTS / tileSize;
    let units = 0;
    while (this.#decoded < this.#units.length) {
      if (units >= stepUnits) {
        yield;
        units = 0;
      }
      // Many of one pass at a time, because what they have in common is prepared once.
      const passEnd = (Math.floor(this.#decoded / tiles) + 1) * tiles;
      const end = Math.min(this.#units.length, passEnd, this.#decoded + stepUnits - units);
      this.#decodePass(this.#decoded, end);
      units += end - this.#decoded;
      this.#decoded = end;
    }
  }

  #tileOf(index: number): Tile {
    if (this.#tiles[index] === undefined) this.#begin(index);
    return this.#tiles[index]!;
  }

  /** A tile with its neighbours, when its first unit is decoded: all of a large tensor at once would take long. */
  #begin(index: number): void {
    const { firstTile, endTile, tileSize } = this.sequence;
    const size = stateBytes(tileSize);
    const shared = STEP_WEIGHTS / tileSize;
    const first = index - ((index - firstTile) % shared);
    const end = Math.min(first + shared, endTile);
    const bytes = this.#make(size * (end - first)).fill(0);
    for (let tile = first; tile < end; tile++) {
      const { count } = this.sequence.range(tile);
      const own = bytes.subarray(
        (tile - first) * size,
        (tile - first) * size + stateBytes(count),
      ) as OwnBytes;
      const scales = this.order.isUniform ? this.stream.base : this.order.scalesOf(tile * tileSize, count);
      this.#tiles[tile] = { state: newTileState(count, scales, undefined, own), planes: [], plain: false };
    }
  }

  /** Units of one pass. */
  #decodePass(first: number, end: number): void {
    const { tiles, passes, firstTile, endTile } = this.sequence;
    const pass = passes[Math.floor(first / tiles)]!;
    if (pass.kind === 'remainder') return;
    const passStart = first - (first % tiles);
    const begin = Math.max(first, passStart + firstTile);
    const stop = Math.max(begin, Math.min(end, passStart + endTile));
    const units = this.#units.slice(begin, stop);
    const parts = units.map((_, i) => this.#tileOf(begin - passStart + i));
    if (pass.kind === 'signs') {
      const work = units.map((unit, i) => ({ unit, state: parts[i]!.state }));
      this.#kernels.embedded.decodeSigns(work, this.stream.dense, this.stream.planes[pass.plane]!.level);
      return;
    }
    const plain = units.map((unit, i) => isPlain(parts[i]!, unit));
    const coded: PlaneUnit[] = [];
    const sizes = parts.map(({ state }, i) => (plain[i] ? 0 : state.signs.length));
    // One array for all, because many take long to make, and to free.
    const bytes = this.#make(sizes.reduce((sum, size) => sum + size, 0));
    let used = 0;
    units.forEach((unit, i) => {
      const { state, planes } = parts[i]!;
      const plane = plain[i] ? unit : bytes.subarray(used, used + sizes[i]!);
      used += sizes[i]!;
      if (!plain[i]) coded.push({ unit, state, plane });
      planes.push(plane);
    });
    this.#kernels.embedded.decodePlanes(coded, this.stream.planes[pass.plane]!);
    for (const { state, planes } of parts) checkPadding(planes.at(-1)!, state.count);
  }
}

/** Weights whose units are decoded in a step: a few milliseconds. */
const STEP_WEIGHTS = 2 ** 22;

/** With fewer elements to each, the objects of units and tiles would take more memory than the tensor. */
const ELEMENTS_PER_UNIT = 1024;
/** So many take less than a gigabyte of what engines allow for objects. */
const MANY_UNITS = 2 ** 20;

function checkLength({ length }: UnitSequence, elements: number): void {
  const most = Math.max(MANY_UNITS, elements / ELEMENTS_PER_UNIT);
  if (length <= most) return;
  throw new FormatError('Cannot read the embedded fragment: its tiles are too small for the tensor', {
    expected: `at most ${most} units`,
    actual: length,
  });
}

function planesAmong(passes: readonly Pass[]): number {
  return passes.filter(({ kind }) => kind === 'plane').length;
}

/** Whether a plane of the tile is stored uncoded. */
function isPlain(tile: Tile, unit: Uint8Array): boolean {
  const { signs, dense } = tile.state;
  tile.plain ||= unit.length === signs.length && dense.every((state) => state === DENSE);
  return tile.plain && unit.length === signs.length;
}

import type { Steps } from '../../async/steps.js';
import { FormatError } from '../../errors.js';
import type { FloatLayout, RowPart } from '../../kernels/embedded/interface.js';
import { inOrder } from '../../kernels/embedded/tile.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { DecodeRequest, ElementRange } from '../encoding.js';
import { checkScale, floatLayout } from './elements.js';
import { parseExceptions } from './exceptions.js';
import { type StreamHeader, unpackScales } from './streamHeader.js';
import { TileOrder } from './tileOrder.js';
import { STEP_WEIGHTS, type Tile, Tiles, type UnitPart } from './tiles.js';
import { type FragmentUnits, UnitList } from './unitList.js';
import { UnitSequence } from './unitSequence.js';

/** The progress of a tile. */
export interface TileProgress {
  /** Planes that have arrived. */
  readonly depth: number;
  /** Its remainder has arrived: the elements are known. */
  readonly exact: boolean;
}

/** How far units have been decoded. */
interface Position {
  /** Units, or their parts. */
  readonly parts: number;
  /** Whole units, and groups of the next one. */
  readonly units: number;
  readonly groups: number;
  /** Parts behind which their unit goes on. */
  readonly cuts: number;
}

const START: Position = { parts: 0, units: 0, groups: 0, cuts: 0 };

/** A part of a unit, which goes on at this group. */
interface UnitCut {
  readonly part: number;
  readonly groups: number;
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
  /** Units; some in parts, which hold groups of the tile that follow each other. */
  readonly #parts = new UnitList();
  /** The parts behind which their unit goes on. */
  #cuts: UnitCut[] = [];
  #decoded = START;
  /** Planes among the first passes, for each number of these. */
  readonly #depths = [0];
  readonly #tiles: Tiles;

  /** @param range the elements that are wanted: units of other tiles are not decoded */
  constructor(
    stream: StreamHeader,
    elements: number,
    range: ElementRange,
    request: Pick<DecodeRequest<'embedded'>, 'dtype' | 'kernels' | 'stateMemory'>,
  ) {
    this.stream = stream;
    const { dtype, kernels } = request;
    this.#kernels = kernels;
    this.#layout = floatLayout(dtype);
    checkScale(stream, dtype);
    this.sequence = new UnitSequence(stream, elements, this.#layout === undefined, range);
    checkLength(this.sequence, elements);
    let depth = 0;
    for (const { kind } of this.sequence.passes) this.#depths.push(kind === 'plane' ? ++depth : depth);
    const { base, scales } = stream;
    this.order = new TileOrder(base, scales && unpackScales(scales, elements));
    this.#tiles = new Tiles(stream, elements, this.sequence, this.order, request);
  }

  /** Units that have arrived whole: the first of the sequence. */
  get units(): number {
    return this.#parts.length - this.#cuts.length;
  }

  /** Units that have arrived, or their parts. */
  get parts(): number {
    return this.#parts.length;
  }

  /**
   * Takes the next units of the sequence; they are decoded by {@link decode}.
   * @param units the first one may be the rest of one that was cut
   * @param groups where the last one is cut; 0: nowhere
   */
  push(units: FragmentUnits, groups: number): void {
    this.#parts.push(units);
    if (groups > 0) this.#cuts.push({ part: this.#parts.length - 1, groups });
  }

  /**
   * Decodes what was pushed. Between two steps, the tensor is that of the units so far.
   * @throws FormatError; the state then needs {@link retreat}
   */
  *decode(): Steps<void> {
    const stepUnits = STEP_WEIGHTS / this.sequence.tileSize;
    for (let isFirst = true; this.#decoded.parts < this.#parts.length; isFirst = false) {
      if (!isFirst) yield;
      // Many at a time, parts of units among them, because what they have in common is prepared once.
      const { parts, end } = this.#nextParts(stepUnits);
      this.#tiles.decode(parts);
      this.#decoded = end;
    }
  }

  /** Goes back to the first `parts` units or parts of them. */
  *retreat(parts: number): Steps<void> {
    this.#parts.cut(parts);
    this.#cuts = this.#cuts.filter(({ part }) => part < parts);
    this.#tiles.clear();
    this.#decoded = START;
    yield* this.decode();
    this.#tiles.restored();
  }

  /** Makes what has been freed anew, from the units. */
  *restore(): Steps<void> {
    if (this.#tiles.spent) yield* this.retreat(this.#parts.length);
  }

  /** Frees the states and the planes that only tiles up to `tile` use. */
  free(tile?: number): void {
    this.#tiles.free(tile);
  }

  progress(tile: number): TileProgress {
    const { passes } = this.sequence;
    const count = this.sequence.passesOf(tile, this.#decoded.units);
    return { depth: this.#depths[count]!, exact: passes[count - 1]?.kind === 'remainder' };
  }

  /** The last unit of a tile that has arrived. */
  lastUnitOf(tile: number): number {
    const { tiles } = this.sequence;
    return (this.sequence.passesOf(tile, this.#decoded.units) - 1) * tiles + tile;
  }

  /** What is known of a tile. */
  tile(tile: number): Tile {
    return this.#tiles.of(tile);
  }

  /**
   * The bits of the elements of a tile whose remainder has arrived, in the order of the tensor.
   * @throws FormatError, because remainders are not decoded before
   */
  readPatterns(tile: number, out: Uint16Array | Uint32Array): void {
    const layout = this.#layout!;
    const { tiles, passes } = this.sequence;
    // All cuts are in passes before.
    const unit = this.#parts.at((passes.length - 1) * tiles + tile + this.#cuts.length);
    const { count, rest, restore } = parseExceptions(unit, out.length, layout.bytes);
    const { scale, nonzero } = this.stream;
    const { state, planes } = this.tile(tile);
    const known = { state, planes, layout, scale, selection: nonzero };
    const { decodeRemainder } = this.#kernels.embedded;
    const parts = this.rowParts(tile);
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
  rowParts(tile: number): readonly RowPart[] | undefined {
    if (this.order.isNatural) return undefined;
    const { count } = this.sequence.range(tile);
    return this.order.parts(tile * this.sequence.tileSize, count);
  }

  /** What comes next, but for whole units of tiles that are not wanted, which nothing is made for: they may be most of them. */
  #nextParts(most: number): { readonly parts: readonly UnitPart[]; readonly end: Position } {
    const { tiles, passes, firstTile, endTile } = this.sequence;
    const found: UnitPart[] = [];
    let { parts, units, groups, cuts } = this.#decoded;
    for (; parts < this.#parts.length && found.length < most; parts++) {
      const cut = this.#cuts[cuts]?.part === parts ? this.#cuts[cuts++]!.groups : undefined;
      const tile = units % tiles;
      if ((tile >= firstTile && tile < endTile) || groups > 0 || cut !== undefined) {
        const pass = passes[Math.floor(units / tiles)]!;
        found.push({ unit: this.#parts.at(parts), pass, tile, from: groups, cut });
      }
      if (cut === undefined) units += 1;
      groups = cut ?? 0;
    }
    return { parts: found, end: { parts, units, groups, cuts } };
  }
}

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

import type { DType } from '../../dtype.js';
import type { FloatLayout, PlaneUnit, TileState } from '../../kernels/embedded.js';
import type { Kernels } from '../../kernels/kernels.js';
import { GROUP } from '../../kernels/portable/embedded/bitmapCode.js';
import { checkScale, floatLayout } from './elements.js';
import { parseExceptions } from './exceptions.js';
import { bitmapBytes, type StreamHeader } from './format.js';
import { UnitSequence } from './unitSequence.js';

/** How far a tile has come. */
export interface TileProgress {
  /** Planes that are in. */
  readonly depth: number;
  /** Its remainder is in: the elements are known. */
  readonly exact: boolean;
}

/** What is known of the weights of a tensor, beside the planes. */
interface WeightBits {
  readonly significant: Uint8Array;
  readonly signs: Uint8Array;
  readonly counts: Uint8Array;
  readonly dense: Uint8Array;
}

/**
 * What the units so far have said of a tensor's weights. Units are kept as views: planes that stand in them as they
 * are, and remainders, are read where they lie each time the tensor is reconstructed.
 */
export class TensorState {
  readonly stream: StreamHeader;
  readonly sequence: UnitSequence;
  readonly #elements: number;
  readonly #layout: FloatLayout | undefined;
  readonly #kernels: Kernels;
  readonly #units: Uint8Array[] = [];
  /** By plane, then by tile. */
  readonly #planes: Uint8Array[][];
  #bits: WeightBits;

  constructor(stream: StreamHeader, elements: number, dtype: DType, kernels: Kernels) {
    this.stream = stream;
    this.#kernels = kernels;
    this.#elements = elements;
    this.#layout = floatLayout(dtype);
    checkScale(stream, dtype);
    this.sequence = new UnitSequence(stream, elements, this.#layout === undefined);
    this.#planes = stream.planes.map(() => []);
    this.#bits = nothingKnown(elements);
  }

  /** Units that are in: the first of the sequence. */
  get units(): number {
    return this.#units.length;
  }

  /**
   * Takes the next units of the sequence.
   * @throws FormatError; all is then as it was before
   */
  advance(units: readonly Uint8Array[]): void {
    const before = this.#units.length;
    for (const unit of units) this.#units.push(unit);
    try {
      this.#decode(before);
    } catch (error) {
      // What was known has been spoilt; the units before are sound and say it again.
      this.retreat(before);
      throw error;
    }
  }

  /** Goes back to the first `units` units. */
  retreat(units: number): void {
    this.#units.length = units;
    this.#bits = nothingKnown(this.#elements);
    for (const tiles of this.#planes) tiles.length = 0;
    this.#decode(0);
  }

  progress(tile: number): TileProgress {
    const passes = this.sequence.passes.slice(0, this.sequence.passesOf(tile, this.units));
    return {
      depth: passes.filter(({ kind }) => kind === 'plane').length,
      exact: passes.at(-1)?.kind === 'remainder',
    };
  }

  /** The last unit of a tile that is in. */
  lastUnitOf(tile: number): number {
    const { tiles } = this.sequence;
    return (this.sequence.passesOf(tile, this.units) - 1) * tiles + tile;
  }

  /** What is known of a tile's weights beside its planes. */
  tile(tile: number): TileState {
    const { start, count } = this.sequence.range(tile);
    const bytes = [start / 8, start / 8 + bitmapBytes(count)] as const;
    const groups = [start / GROUP, start / GROUP + Math.ceil(count / GROUP)] as const;
    const { significant, signs, counts, dense } = this.#bits;
    return {
      count,
      significant: significant.subarray(...bytes),
      signs: signs.subarray(...bytes),
      counts: counts.subarray(...groups),
      dense: dense.subarray(...groups),
    };
  }

  /** The first planes of a tile. */
  planes(tile: number, depth: number): Uint8Array[] {
    return this.#planes.slice(0, depth).map((tiles) => tiles[tile]!);
  }

  /**
   * The bits of the elements of a tile whose remainder is in.
   * @throws FormatError: remainders are not looked into before
   */
  readPatterns(tile: number, out: Uint16Array | Uint32Array): void {
    const layout = this.#layout!;
    const { tiles, passes } = this.sequence;
    const unit = this.#units[(passes.length - 1) * tiles + tile]!;
    const { rest, restore } = parseExceptions(unit, out.length, layout.bytes);
    const { scale, planes, nonzero } = this.stream;
    this.#kernels.embedded.decodeRemainder(
      rest,
      { state: this.tile(tile), planes: this.planes(tile, planes.length), layout, scale, selection: nonzero },
      out,
    );
    restore(out);
  }

  /** Decodes all units from this one on. */
  #decode(first: number): void {
    const { tiles } = this.sequence;
    for (let unit = first; unit < this.#units.length; ) {
      // As far as the pass goes: what its units have in common is prepared once.
      const end = Math.min(this.#units.length, (Math.floor(unit / tiles) + 1) * tiles);
      this.#decodePass(unit, end);
      unit = end;
    }
  }

  /** Units of one pass. */
  #decodePass(first: number, end: number): void {
    const { tiles, passes } = this.sequence;
    const pass = passes[Math.floor(first / tiles)]!;
    if (pass.kind === 'remainder') return;
    const jobs = this.#units.slice(first, end).map((unit, i) => {
      const tile = (first % tiles) + i;
      return { unit, tile, state: this.tile(tile) };
    });
    if (pass.kind === 'signs') {
      this.#kernels.embedded.decodeSigns(jobs, this.stream.threshold);
      return;
    }
    const coded: PlaneUnit[] = [];
    for (const { unit, tile, state } of jobs) {
      // Once all groups are dense, a plane is no more than its bytes.
      const plain = unit.length === state.signs.length && !state.dense.includes(0);
      const plane = plain ? unit : new Uint8Array(state.signs.length);
      if (!plain) coded.push({ unit, state, plane });
      this.#planes[pass.plane]![tile] = plane;
    }
    this.#kernels.embedded.decodePlanes(coded, this.stream.planes[pass.plane]!);
  }
}

function nothingKnown(elements: number): WeightBits {
  const bytes = bitmapBytes(elements);
  const groups = bytes / (GROUP / 8);
  return {
    significant: new Uint8Array(bytes),
    signs: new Uint8Array(bytes),
    counts: new Uint8Array(groups),
    dense: new Uint8Array(groups),
  };
}

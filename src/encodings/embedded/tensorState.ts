import type { DType } from '../../dtype.js';
import type { FloatLayout, PlaneUnit, TileState } from '../../kernels/embedded.js';
import type { Kernels } from '../../kernels/kernels.js';
import { GROUP } from '../../kernels/portable/embedded/bitmapCode.js';
import { checkScale, floatLayout, patternArray } from './elements.js';
import { parseExceptions } from './exceptions.js';
import { bitmapBytes, type StreamHeader } from './format.js';
import { UnitSequence } from './unitSequence.js';

/** How far a tile has come. */
export interface TileProgress {
  /** Planes that are in. */
  readonly depth: number;
  /** The elements themselves are in. */
  readonly exact: boolean;
}

/** What the units so far have said of a tensor's weights. */
export class TensorState {
  readonly stream: StreamHeader;
  readonly sequence: UnitSequence;
  /** Elements' bits, of the tiles whose remainder is in; undefined before the first of them, and for integers. */
  patterns: Uint16Array | Uint32Array | undefined;
  readonly #elements: number;
  readonly #layout: FloatLayout | undefined;
  readonly #kernels: Kernels;
  /** A bitmap of the whole tensor a plane, made when the first unit of the plane comes. */
  readonly #planes: (Uint8Array | undefined)[];
  #bits: { significant: Uint8Array; signs: Uint8Array; counts: Uint8Array; dense: Uint8Array };
  #units = 0;

  constructor(stream: StreamHeader, elements: number, dtype: DType, kernels: Kernels) {
    this.stream = stream;
    this.#kernels = kernels;
    this.#elements = elements;
    this.#layout = floatLayout(dtype);
    checkScale(stream, dtype);
    this.sequence = new UnitSequence(stream, elements, this.#layout === undefined);
    this.#planes = stream.planes.map(() => undefined);
    const bytes = bitmapBytes(elements);
    const groups = bytes / (GROUP / 8);
    this.#bits = {
      significant: new Uint8Array(bytes),
      signs: new Uint8Array(bytes),
      counts: new Uint8Array(groups),
      dense: new Uint8Array(groups),
    };
  }

  /** Units that are in: the first of the sequence. */
  get units(): number {
    return this.#units;
  }

  /**
   * Takes the next units of the sequence.
   * @throws FormatError; all is then as it was before
   */
  advance(units: readonly Uint8Array[]): void {
    const { significant, signs, counts, dense } = this.#bits;
    // Planes and elements are only written where none have been read yet: these four alone can be spoilt.
    const before = {
      significant: significant.slice(),
      signs: signs.slice(),
      counts: counts.slice(),
      dense: dense.slice(),
    };
    try {
      const { tiles } = this.sequence;
      for (let unit = this.#units, end = unit + units.length; unit < end; ) {
        // As far as the pass goes: what its units have in common is prepared once.
        const next = Math.min(end, (Math.floor(unit / tiles) + 1) * tiles);
        this.#decode(unit, units.slice(unit - this.#units, next - this.#units));
        unit = next;
      }
    } catch (error) {
      this.#bits = before;
      throw error;
    }
    this.#units += units.length;
  }

  progress(tile: number): TileProgress {
    const passes = this.sequence.passes.slice(0, this.sequence.passesOf(tile, this.#units));
    return {
      depth: passes.filter(({ kind }) => kind === 'plane').length,
      exact: passes.at(-1)?.kind === 'remainder',
    };
  }

  /** Which of a tile's weights are negative, and which of its groups know the signs of all weights. */
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
    const { start, count } = this.sequence.range(tile);
    const end = start / 8 + bitmapBytes(count);
    return this.#planes.slice(0, depth).map((plane) => plane!.subarray(start / 8, end));
  }

  /** Units of one pass, the first of which has this number. */
  #decode(first: number, units: readonly Uint8Array[]): void {
    const { tiles, passes } = this.sequence;
    const pass = passes[Math.floor(first / tiles)]!;
    const firstTile = first % tiles;
    const jobs = units.map((unit, i) => ({ unit, tile: firstTile + i, state: this.tile(firstTile + i) }));
    if (pass.kind === 'remainder') {
      for (const { unit, tile, state } of jobs) this.#decodeRemainder(tile, state, unit);
    } else if (pass.kind === 'signs') this.#kernels.embedded.decodeSigns(jobs, this.stream.threshold);
    else {
      const whole = this.#plane(pass.plane);
      const coded: PlaneUnit[] = [];
      for (const { unit, tile, state } of jobs) {
        const start = this.sequence.range(tile).start / 8;
        const plane = whole.subarray(start, start + state.signs.length);
        // Once all groups are dense, a plane is no more than its bytes.
        if (unit.length === plane.length && !state.dense.includes(0)) plane.set(unit);
        else coded.push({ unit, state, plane });
      }
      this.#kernels.embedded.decodePlanes(coded, this.stream.planes[pass.plane]!);
    }
  }

  #plane(index: number): Uint8Array {
    let plane = this.#planes[index];
    if (plane === undefined) {
      plane = new Uint8Array(bitmapBytes(this.#elements));
      this.#planes[index] = plane;
    }
    return plane;
  }

  #decodeRemainder(tile: number, state: TileState, unit: Uint8Array): void {
    const layout = this.#layout!;
    const { start, count } = this.sequence.range(tile);
    this.patterns ??= patternArray(layout, this.#elements);
    const out = this.patterns.subarray(start, start + count);
    const { rest, restore } = parseExceptions(unit, count, layout.bytes);
    const tileOfPlanes = {
      state,
      planes: this.planes(tile, this.stream.planes.length),
      layout,
      scale: this.stream.scale,
      selection: this.stream.nonzero,
    };
    this.#kernels.embedded.decodeRemainder(rest, tileOfPlanes, out);
    restore(out);
  }
}

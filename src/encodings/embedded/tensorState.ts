import type { DType } from '../../dtype.js';
import { GROUP } from '../../kernels/portable/embedded/bitmapCode.js';
import { decodePlane, decodeSigns, type TileState } from '../../kernels/portable/embedded/planes.js';
import {
  decodeRemainder,
  type FloatLayout,
  type TileMagnitudes,
} from '../../kernels/portable/embedded/remainder.js';
import { gatherMagnitudes } from '../../kernels/portable/embedded/transpose.js';
import { floatLayout, patternArray } from './elements.js';
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
  /** A bitmap of the whole tensor a plane, made when the first unit of the plane comes. */
  readonly #planes: (Uint8Array | undefined)[];
  #bits: { significant: Uint8Array; signs: Uint8Array; counts: Uint8Array; dense: Uint8Array };
  #units = 0;

  constructor(stream: StreamHeader, elements: number, dtype: DType) {
    this.stream = stream;
    this.#elements = elements;
    this.#layout = floatLayout(dtype);
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
      // Tile by tile, so that what is known of a tile stays in the cache from plane to plane.
      for (let i = 0; i < Math.min(tiles, units.length); i++) {
        for (let k = i; k < units.length; k += tiles) this.#decode(this.#units + k, units[k]!);
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

  /** The magnitudes that a tile's first planes make. */
  magnitudes(tile: number, depth: number): Int32Array {
    const { start, count } = this.sequence.range(tile);
    const magnitudes = new Int32Array(count);
    const planes = this.#planes.slice(0, depth).map((plane) => plane!.subarray(start / 8));
    gatherMagnitudes(planes, magnitudes);
    return magnitudes;
  }

  #decode(unit: number, bytes: Uint8Array): void {
    const { tiles, passes } = this.sequence;
    const tile = unit % tiles;
    const pass = passes[Math.floor(unit / tiles)]!;
    const state = this.tile(tile);
    if (pass.kind === 'remainder') this.#decodeRemainder(tile, state, bytes);
    else if (pass.kind === 'signs') decodeSigns(bytes, state, this.stream.threshold);
    else {
      const start = this.sequence.range(tile).start / 8;
      const plane = this.#plane(pass.plane).subarray(start, start + state.signs.length);
      decodePlane(bytes, state, plane, this.stream.planes[pass.plane]!);
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
    const magnitudes: TileMagnitudes = {
      state,
      magnitudes: this.magnitudes(tile, this.stream.planes.length),
      layout,
      lowestExponent: this.stream.scale + layout.bias,
      selection: this.stream.nonzero,
    };
    decodeRemainder(rest, magnitudes, out);
    restore(out);
  }
}

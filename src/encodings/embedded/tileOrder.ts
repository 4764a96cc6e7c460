import type { RowPart } from '../../kernels/embedded/interface.js';
import { GROUP } from '../../kernels/embedded/tile.js';
import type { Scales } from './streamHeader.js';

interface TileRow extends RowPart {
  readonly row: number;
}

/**
 * The order of the weights in tiles, and the scales of their groups. Where columns have scales, the weights of each row
 * are sorted by them, so that groups have weights of one scale.
 */
export class TileOrder {
  readonly #base: number;
  readonly #scales: Scales | undefined;
  /** What follows is there where there are scales. */
  readonly #rowLength!: number;
  /** Columns in the order of a whole row, and the sums of the scales of the first 0, 1, … of them. */
  readonly #sorted!: Uint32Array;
  readonly #sums!: Int32Array;
  /** Of each group of a whole row, but for the row's own; undefined where rows are no whole groups. */
  readonly #groupScales: Int32Array | undefined;

  /** @param base root mean square of the weights, in quarter octaves */
  constructor(base: number, scales: Scales | undefined) {
    this.#base = base;
    this.#scales = scales;
    if (scales === undefined) return;
    const { rowLength, columns } = scales;
    this.#rowLength = rowLength;
    this.#sorted = sortedColumns(columns ?? new Int8Array(rowLength));
    this.#sums = this.#sumsOf(this.#sorted);
    if (rowLength % GROUP !== 0) return;
    this.#groupScales = new Int32Array(rowLength / GROUP);
    for (let group = 0; group < this.#groupScales.length; group++) {
      const total = this.#sums[GROUP * (group + 1)]! - this.#sums[GROUP * group]!;
      this.#groupScales[group] = base + roundedMean(total, GROUP);
    }
  }

  /** Weights are in the order of the tensor. */
  get isNatural(): boolean {
    return this.#scales?.columns === undefined;
  }

  /** All groups have the same scale. */
  get isUniform(): boolean {
    return this.#scales === undefined;
  }

  /** The root mean square of each group of the tile that begins at weight `start`, in quarter octaves. */
  scalesOf(start: number, count: number): Uint8Array {
    const base = this.#base;
    if (this.#scales === undefined) return new Uint8Array(Math.ceil(count / GROUP)).fill(base);
    const { rows } = this.#scales;
    const scales = new Uint8ClampedArray(Math.ceil(count / GROUP));
    const length = this.#rowLength;
    const groupScales = this.#groupScales;
    let place = 0;
    let total = 0;
    while (place < count) {
      const row = Math.floor((start + place) / length);
      const first = start + place - row * length;
      const end = Math.min(length, first + count - place);
      const ofRow = rows?.[row] ?? 0;
      if (end - first === length && groupScales !== undefined && place % GROUP === 0) {
        for (let group = 0; group < groupScales.length; group++) {
          scales[place / GROUP + group] = groupScales[group]! + ofRow;
        }
        place += length;
        continue;
      }
      const columns = this.#columnsBetween(first, end);
      const sums = columns === this.#sorted ? this.#sums : this.#sumsOf(columns);
      for (let i = 0; i < columns.length; ) {
        const next = Math.min(columns.length, i + GROUP - (place % GROUP));
        total += sums[next]! - sums[i]! + ofRow * (next - i);
        place += next - i;
        i = next;
        if (place % GROUP !== 0 && place < count) continue;
        const size = ((place - 1) % GROUP) + 1;
        scales[(place - 1) >> 6] = base + roundedMean(total, size);
        total = 0;
      }
    }
    return new Uint8Array(scales.buffer);
  }

  /** The rows of the tile that begins at weight `start`, or the parts of them that are in it. */
  parts(start: number, count: number): TileRow[] {
    const length = this.#rowLength;
    const parts: TileRow[] = [];
    for (let at = start; at < start + count; ) {
      const row = Math.floor(at / length);
      const first = at - row * length;
      const end = Math.min(length, first + start + count - at);
      parts.push({
        row,
        first: row * length - start,
        columns: this.#columnsBetween(first, end),
      });
      at += end - first;
    }
    return parts;
  }

  #columnsBetween(first: number, end: number): Uint32Array {
    const sorted = this.#sorted;
    if (end - first === sorted.length) return sorted;
    // Those that are outside are written over: which they are is random, and a branch would be mispredicted.
    const columns = new Uint32Array(end - first + 1);
    let count = 0;
    for (let i = 0; i < sorted.length; i++) {
      const column = sorted[i]!;
      columns[count] = column;
      count += (~(column - first) & (column - end)) >>> 31;
    }
    return columns.subarray(0, count);
  }

  #sumsOf(columns: Uint32Array): Int32Array {
    const scales = this.#scales?.columns;
    const sums = new Int32Array(columns.length + 1);
    if (scales === undefined) return sums;
    for (let i = 0; i < columns.length; i++) sums[i + 1] = sums[i]! + scales[columns[i]!]!;
    return sums;
  }
}

/** To the nearest. */
function roundedMean(total: number, count: number): number {
  return Math.floor((2 * total + count) / (2 * count));
}

/** Columns by their scales, the largest first; those of one scale stay in their order. */
function sortedColumns(scales: Int8Array): Uint32Array {
  // Places of the next column of each scale: counted, then added up.
  const places = new Uint32Array(257);
  for (let column = 0; column < scales.length; column++) places[128 - scales[column]!]! += 1;
  for (let i = 1; i < places.length; i++) places[i]! += places[i - 1]!;
  const sorted = new Uint32Array(scales.length);
  for (let column = 0; column < scales.length; column++) sorted[places[127 - scales[column]!]!++] = column;
  return sorted;
}

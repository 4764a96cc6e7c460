import type { RowPart } from '../../kernels/embedded/interface.js';
import { GROUP } from '../../kernels/embedded/tile.js';
import type { Scales } from './format.js';

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
  readonly #rowLength: number;
  /** Columns in the order of a whole row, and the sums of the scales of the first 0, 1, … of them. */
  readonly #sorted: Uint32Array;
  readonly #sums: Int32Array;
  /** The same of each group of a whole row; undefined where rows are no whole groups. */
  readonly #groupSums: Int32Array | undefined;

  /** @param base root mean square of the weights, in quarter octaves */
  constructor(base: number, scales: Scales | undefined) {
    this.#base = base;
    this.#scales = scales;
    const { rowLength = 0, columns } = scales ?? {};
    this.#rowLength = rowLength;
    this.#sorted = sortedColumns(columns ?? new Int8Array(rowLength));
    this.#sums = this.#sumsOf(this.#sorted);
    if (rowLength % GROUP !== 0) return;
    this.#groupSums = new Int32Array(rowLength / GROUP);
    for (let group = 0; group < this.#groupSums.length; group++) {
      this.#groupSums[group] = this.#sums[GROUP * (group + 1)]! - this.#sums[GROUP * group]!;
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
    const groups = Math.ceil(count / GROUP);
    if (this.#scales === undefined) return new Uint8Array(groups).fill(this.#base);
    const { rows } = this.#scales;
    const base = this.#base;
    const length = this.#rowLength;
    const groupSums = this.#groupSums;
    const totals = new Int32Array(groups);
    let place = 0;
    while (place < count) {
      const at = start + place;
      const row = Math.floor(at / length);
      const first = at - row * length;
      const end = Math.min(length, first + count - place);
      const ofRow = rows?.[row] ?? 0;
      if (end - first === length && groupSums !== undefined && place % GROUP === 0) {
        for (let group = 0; group < groupSums.length; group++) {
          totals[(place >> 6) + group] = groupSums[group]! + GROUP * ofRow;
        }
        place += length;
        continue;
      }
      const columns = this.#columnsBetween(first, end);
      const sums = columns === this.#sorted ? this.#sums : this.#sumsOf(columns);
      for (let i = 0; i < columns.length; ) {
        const next = Math.min(columns.length, i + GROUP - (place & (GROUP - 1)));
        totals[place >> 6]! += sums[next]! - sums[i]! + ofRow * (next - i);
        place += next - i;
        i = next;
      }
    }
    const scales = new Uint8Array(groups);
    for (let group = 0; group < groups; group++) {
      const size = Math.min(GROUP, count - GROUP * group);
      // Rounded to the nearest.
      const mean =
        size === GROUP
          ? (totals[group]! + GROUP / 2) >> 6
          : Math.floor((2 * totals[group]! + size) / (2 * size));
      scales[group] = Math.min(Math.max(base + mean, 0), 255);
    }
    return scales;
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

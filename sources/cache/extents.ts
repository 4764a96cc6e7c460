import type { Range } from '../../src/bytes/ranges.js';

/**
 * How many ranges that start before a byte are searched. Without overlaps one is enough; a range that is missed is
 * fetched again.
 */
const LOOK_BACK = 4;

/** The cached parts of one file: a list sorted by position, in which a byte is found by bisection. */
export class Extents {
  /** Sorted by start. They overlap when two tabs fetched at the same time. */
  readonly #ranges: Range[] = [];

  /** Adds a part that the cache holds now. */
  add(range: Range): void {
    this.#ranges.splice(this.#indexBehind(range.start), 0, range);
  }

  /** Removes a part that was added with the same ends. */
  delete({ start, end }: Range): void {
    // Those with the same start are neighbours.
    for (let i = this.#indexBehind(start) - 1; i >= 0 && this.#ranges[i]!.start === start; i--) {
      if (this.#ranges[i]!.end !== end) continue;
      this.#ranges.splice(i, 1);
      return;
    }
  }

  /** A cached range that contains this byte. */
  at(position: number): Range | undefined {
    const behind = this.#indexBehind(position);
    return this.#ranges.slice(Math.max(0, behind - LOOK_BACK), behind).find(({ end }) => end > position);
  }

  /** Where the next cached range begins, after a byte that is in none. */
  nextStart(position: number): number | undefined {
    return this.#ranges[this.#indexBehind(position)]?.start;
  }

  /** Index of the first range that starts after `position`. */
  #indexBehind(position: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.start <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

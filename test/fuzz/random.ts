import { randomUint32From } from '../helpers/random.js';

/** A seeded generator, and the choices that mutations make with it. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomUint32From(seed);
  }

  uint32(): number {
    return this.#next();
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Small numbers more often than large ones, from 1 to `most`. */
  small(most: number): number {
    return 1 + this.below(1 + this.below(1 + this.below(most)));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

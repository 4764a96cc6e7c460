import { FormatError } from '../errors.js';

/** Which fragments of a tensor have been taken: a fragment that comes twice counts once. */
export class ReceivedFragments {
  count = 0;
  readonly #seen: Uint8Array;

  constructor(total: number) {
    this.#seen = new Uint8Array(total);
  }

  /** @throws FormatError when the tensor has no such fragment */
  has(index: number): boolean {
    const seen = this.#seen[index];
    if (seen !== undefined) return seen === 1;
    throw new FormatError('fragment number', {
      expected: `0 to ${this.#seen.length - 1}`,
      actual: index,
    });
  }

  add(index: number): void {
    this.#seen[index] = 1;
    this.count += 1;
  }
}

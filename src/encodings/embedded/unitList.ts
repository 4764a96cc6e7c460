/** The units of a fragment, or parts of units, one after another in its payload. */
export interface FragmentUnits {
  readonly payload: Uint8Array;
  /** Where each begins, and then where the last one ends. */
  readonly bounds: Float64Array;
}

/**
 * The units of fragments, as views that are made when they are asked for: who decodes a range of a large tensor asks for few of
 * them.
 */
export class UnitList {
  /** Of each fragment that has units. */
  readonly #fragments: FragmentUnits[] = [];
  /** The index of its first one. */
  readonly #firsts: number[] = [];
  #length = 0;
  /** Where the last one was found: most are asked for in order. */
  #near = 0;

  get length(): number {
    return this.#length;
  }

  push(units: FragmentUnits): void {
    if (units.bounds.length < 2) return;
    this.#fragments.push(units);
    this.#firsts.push(this.#length);
    this.#length += units.bounds.length - 1;
  }

  /** Forgets those from this one on: it is the first of a fragment. */
  cut(length: number): void {
    while (this.#length > length) {
      this.#fragments.pop();
      this.#length = this.#firsts.pop()!;
    }
    this.#near = 0;
  }

  at(index: number): Uint8Array {
    while (this.#firsts[this.#near]! > index) this.#near -= 1;
    while (this.#near + 1 < this.#firsts.length && this.#firsts[this.#near + 1]! <= index) this.#near += 1;
    const { payload, bounds } = this.#fragments[this.#near]!;
    const place = index - this.#firsts[this.#near]!;
    return payload.subarray(bounds[place]!, bounds[place + 1]!);
  }
}

import { SeededRng } from '../rng.js';

/** Coefficients handled at a time: 32 KiB, so that all fragments pass over them while they are in the L1 cache. */
const BLOCK = 8192;

/**
 * Deals the coefficients of a raster out to N fragments and gathers them again. The raster is taken in groups of N;
 * coefficient p of group g goes to fragment (p + r_g) mod N, behind those of the groups before. Without a seed every
 * r_g is 0 (plain striding), with one it is drawn from the generator: (u64 >> 33) mod N, one draw a group.
 */
export class Dealer {
  /** How many coefficients each fragment gets: one of each group, if the last group reaches that far. */
  readonly counts: Uint32Array;
  readonly #coefficients: number;
  readonly #fragments: number;
  readonly #seed: bigint | undefined;
  /** Groups of N coefficients. Behind them there may be one more, shorter group. */
  readonly #groups: number;
  /** Fragments of the coefficients of the short group. */
  readonly #rest: readonly number[];

  constructor(coefficients: number, fragments: number, seed?: bigint) {
    this.#coefficients = coefficients;
    this.#fragments = fragments;
    this.#seed = seed;
    this.#groups = Math.floor(coefficients / fragments);
    const rng = this.#generator();
    for (let group = 0; group < this.#groups; group++) rng?.nextHigh32();
    const rotation = this.#draw(rng);
    const length = coefficients - this.#groups * fragments;
    this.#rest = Array.from({ length }, (_, place) => (place + rotation) % fragments);
    this.counts = new Uint32Array(fragments).fill(this.#groups);
    for (const fragment of this.#rest) this.counts[fragment]! += 1;
  }

  /** Copies each coefficient to its fragment; `parts` have the lengths of `counts`. */
  deal(coefficients: Float32Array, parts: readonly Float32Array[]): void {
    const n = this.#fragments;
    this.#forEachBlock((first, rotations) => {
      for (let fragment = 0; fragment < n; fragment++) {
        const part = parts[fragment]!;
        for (let i = 0, at = first * n; i < rotations.length; i++, at += n) {
          const place = fragment - rotations[i]!;
          part[first + i] = coefficients[at + (place + (n & (place >> 31)))]!;
        }
      }
    });
    this.#rest.forEach((fragment, place) => {
      parts[fragment]![this.#groups] = coefficients[this.#groups * n + place]!;
    });
  }

  /** The inverse of `deal`; where a part is missing its coefficients become 0. */
  gather(parts: readonly (Float32Array | undefined)[], coefficients: Float32Array): void {
    const n = this.#fragments;
    const complete = parts.length === n && !parts.includes(undefined);
    if (!complete) coefficients.fill(0, 0, this.#coefficients);
    this.#forEachBlock((first, rotations) => {
      for (let fragment = 0; fragment < n; fragment++) {
        const part = parts[fragment];
        if (part === undefined) continue;
        for (let i = 0, at = first * n; i < rotations.length; i++, at += n) {
          const place = fragment - rotations[i]!;
          coefficients[at + (place + (n & (place >> 31)))] = part[first + i]!;
        }
      }
    });
    this.#rest.forEach((fragment, place) => {
      const part = parts[fragment];
      if (part !== undefined) coefficients[this.#groups * n + place] = part[this.#groups]!;
    });
  }

  /** Passes over the full groups: number of the first one of a block, and the rotation of each. */
  #forEachBlock(visit: (first: number, rotations: Uint16Array) => void): void {
    const size = Math.max(1, Math.floor(BLOCK / this.#fragments));
    const rotations = new Uint16Array(Math.min(size, this.#groups));
    const rng = this.#generator();
    for (let first = 0; first < this.#groups; first += size) {
      const block = rotations.subarray(0, this.#groups - first);
      if (rng !== undefined) for (let i = 0; i < block.length; i++) block[i] = this.#draw(rng);
      visit(first, block);
    }
  }

  #generator(): SeededRng | undefined {
    return this.#seed === undefined ? undefined : new SeededRng(this.#seed);
  }

  #draw(rng: SeededRng | undefined): number {
    return rng === undefined ? 0 : (rng.nextHigh32() >>> 1) % this.#fragments;
  }
}

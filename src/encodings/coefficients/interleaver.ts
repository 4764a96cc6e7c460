import { SeededRng } from '../../kernels/gaussian/rng.js';
import { gatherPlain, gatherRotated, interleavePlain, interleaveRotated } from './interleaveLoops.js';

/** Coefficients per pass: 32 KiB, so that they are in the L1 cache for all fragments. */
const BLOCK = 8192;

/** Takes or fills a stretch of the raster; stretches come in order. */
export type StretchVisitor = (coefficients: Float32Array, start: number) => void;

/**
 * Interleaves the coefficients of a raster among N fragments and gathers them again. The raster is taken in groups of
 * N; coefficient p of group g goes to fragment (p + r_g) mod N, after those of the earlier groups. Without a seed every
 * r_g is 0 (plain striding), with one it is drawn from the generator: (u64 >> 33) mod N, one draw per group.
 */
export class Interleaver {
  /** How many coefficients each fragment gets: one of each group, if the last group reaches that far. */
  readonly counts: Uint32Array;
  readonly #fragments: number;
  readonly #seed: bigint | undefined;

  constructor(coefficients: number, fragments: number, seed?: bigint) {
    this.#fragments = fragments;
    // One fragment gets all coefficients, with any rotation.
    this.#seed = fragments === 1 ? undefined : seed;
    const groups = Math.floor(coefficients / fragments);
    this.counts = new Uint32Array(fragments).fill(groups);
    const rotations = new Rotations(fragments, this.#seed);
    rotations.skip(groups);
    const rotation = rotations.next();
    const rest = coefficients - groups * fragments;
    for (let place = 0; place < rest; place++) this.counts[(place + rotation) % fragments]! += 1;
  }

  /** Copies each coefficient of the stretches to its fragment; `parts` have the lengths of `counts`. */
  interleave(parts: readonly Float32Array[]): StretchVisitor {
    const loop = this.#seed === undefined ? interleavePlain : interleaveRotated;
    return this.#pass(
      (stretch, at, rotations, group) => loop(stretch, at, rotations, parts, group),
      (stretch, at, fragment, group) => {
        parts[fragment]![group] = stretch[at]!;
      },
    );
  }

  /** The inverse of `interleave`: fills the stretches; coefficients of missing parts become 0. */
  gather(parts: readonly (Float32Array | undefined)[]): StretchVisitor {
    const loop = this.#seed === undefined ? gatherPlain : gatherRotated;
    return this.#pass(
      (stretch, at, rotations, group) => loop(stretch, at, rotations, parts, group),
      (stretch, at, fragment, group) => {
        stretch[at] = parts[fragment]?.[group] ?? 0;
      },
    );
  }

  /**
   * One pass over the raster. Whole groups go to `block` (where they begin in the stretch, their rotations, number
   * of the first one), coefficients of groups that stretches or the end of the raster cut in two go to `single`.
   */
  #pass(
    block: (stretch: Float32Array, at: number, rotations: Uint16Array, group: number) => void,
    single: (stretch: Float32Array, at: number, fragment: number, group: number) => void,
  ): StretchVisitor {
    const n = this.#fragments;
    const rotations = new Rotations(n, this.#seed);
    const blockRotations = new Uint16Array(Math.max(1, Math.floor(BLOCK / n)));
    let group = 0;
    // Of the group that the last stretch began.
    let place = 0;
    let rotation = 0;
    return (stretch) => {
      for (let at = 0; at < stretch.length; ) {
        const groups = Math.min(blockRotations.length, Math.floor((stretch.length - at) / n));
        if (place === 0 && groups > 0) {
          const drawn = blockRotations.subarray(0, groups);
          rotations.fill(drawn);
          block(stretch, at, drawn, group);
          group += groups;
          at += groups * n;
          continue;
        }
        if (place === 0) rotation = rotations.next();
        single(stretch, at, (place + rotation) % n, group);
        at += 1;
        place += 1;
        if (place < n) continue;
        place = 0;
        group += 1;
      }
    };
  }
}

/** The r_g in order. */
class Rotations {
  readonly #fragments: number;
  readonly #rng: SeededRng | undefined;

  constructor(fragments: number, seed: bigint | undefined) {
    this.#fragments = fragments;
    this.#rng = seed === undefined ? undefined : new SeededRng(seed);
  }

  next(): number {
    return this.#rng === undefined ? 0 : (this.#rng.nextHigh32() >>> 1) % this.#fragments;
  }

  fill(rotations: Uint16Array): void {
    if (this.#rng === undefined) return;
    for (let i = 0; i < rotations.length; i++) rotations[i] = this.next();
  }

  skip(count: number): void {
    if (this.#rng === undefined) return;
    for (let i = 0; i < count; i++) this.#rng.nextHigh32();
  }
}

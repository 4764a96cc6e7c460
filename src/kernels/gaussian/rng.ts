import { check } from '../../checks/options.js';
import { ArgumentError } from '../../errors.js';

/** 2^64 divided by the golden ratio: the distance between the seeds of consecutive generators. */
export const SEED_STEP = 0x9e3779b97f4a7c15n;

/** Smaller uniform numbers are raised to this, so that the logarithm exists. */
const SMALLEST_UNIFORM = Math.fround(1e-10);
const TWO_PI = Math.fround(2 * Math.PI);

/**
 * The pseudo-random generator of the HoloTensor format, bit for bit: xorshift64 with shifts 13, 7 and 17 (G. Marsaglia,
 * "Xorshift RNGs", 2003) on the state seed + 1. Not for secrets. With the seed 2^64 − 1 the state is 0 and stays 0, so
 * the generator yields only zeros.
 */
export class SeededRng {
  // Two halves of 32 bits, because BigInt arithmetic is about fifty times slower.
  #high: number;
  #low: number;

  /** @param seed taken modulo 2^64 */
  constructor(seed: bigint) {
    check('seed', seed, (value) => typeof value !== 'bigint' && 'a bigint');
    const state = BigInt.asUintN(64, seed + 1n);
    this.#high = Number(state >> 32n) | 0;
    this.#low = Number(state & 0xffffffffn) | 0;
  }

  /** The next 64 bits. */
  nextU64(): bigint {
    const high = this.nextHigh32();
    return (BigInt(high) << 32n) | BigInt(this.#low >>> 0);
  }

  /** The upper half of the next 64 bits; drops the lower half. */
  nextHigh32(): number {
    let high = this.#high;
    let low = this.#low;
    high ^= (high << 13) | (low >>> 19);
    low ^= low << 13;
    low ^= (low >>> 7) | (high << 25);
    high ^= high >>> 7;
    high ^= (high << 17) | (low >>> 15);
    low ^= low << 17;
    this.#high = high;
    this.#low = low;
    return high >>> 0;
  }

  /** Uniform in [0, 1): the top 24 of the next 64 bits, which f32 holds exactly. */
  nextF32(): number {
    return (this.nextHigh32() >>> 8) / 0x1000000;
  }

  /** Standard normal, of two uniform numbers by the Box–Muller transform, each step rounded to f32. */
  nextNormal(): number {
    const u = Math.max(this.nextF32(), SMALLEST_UNIFORM);
    const radius = Math.fround(Math.sqrt(-2 * Math.fround(Math.log(u))));
    const angle = Math.fround(TWO_PI * this.nextF32());
    return Math.fround(radius * Math.fround(Math.cos(angle)));
  }
}

/** The seed whose generator yields only zeros. */
const DEAD_SEED = 2n ** 64n - 1n;

/** The seed of the `index`-th generator that belongs to a header seed. */
export function seedOf(headerSeed: bigint, index: number): bigint {
  return BigInt.asUintN(64, headerSeed + BigInt(index) * SEED_STEP);
}

/** @throws ArgumentError when one of the first `count` generators would yield only zeros */
export function assertLiveSeeds(headerSeed: bigint, count: number): void {
  for (let index = 0; index < count; index++) {
    if (seedOf(headerSeed, index) !== DEAD_SEED) continue;
    throw new ArgumentError('Cannot use this seed: its random numbers are all zero', {
      actual: headerSeed,
    });
  }
}

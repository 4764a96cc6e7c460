/** Numbers that look random and are the same in every run, because each generator starts from a seed. */

/** Uniform 32-bit integers: mulberry32, by Tommy Ettinger (public domain). */
export function randomUint32From(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Uniform in [0, 1). */
export function randomFrom(seed: number): () => number {
  const next = randomUint32From(seed);
  return () => next() / 2 ** 32;
}

/** Normal, with mean 0 and standard deviation 1 (Box–Muller). */
export function normalFrom(seed: number): () => number {
  const random = randomFrom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Values in [−1, 1). */
export function noise(length: number, seed = 1): Float32Array {
  const random = randomFrom(seed);
  return filled(new Float32Array(length), () => 2 * random() - 1);
}

/** The array with the values of these calls: `from` takes ten times as long. */
export function filled<T extends Float32Array | Float64Array | Uint8Array>(array: T, next: () => number): T {
  for (let i = 0; i < array.length; i++) array[i] = next();
  return array;
}

export function pseudoRandomBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const next = randomUint32From(seed);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = next() >>> 24;
  return bytes;
}

/** A random subset of `size` of 0..total−1 in random order. */
export function randomSubset(total: number, size: number, random: () => number): number[] {
  const all = Array.from({ length: total }, (_, i) => i);
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random() * (total - i));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, size);
}

/** A seeded generator, and the choices that are made with it. */
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

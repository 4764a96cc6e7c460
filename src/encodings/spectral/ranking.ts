/** The 31 bits of a magnitude, lowest first, in digits small enough for the address translation of the processor. */
const DIGITS = [
  { shift: 0, bits: 10 },
  { shift: 10, bits: 10 },
  { shift: 20, bits: 11 },
] as const;

/** Numbers by magnitude, largest first; of equal ones the one of lower index first. */
export interface Ranking {
  /** The index of each in the input. */
  readonly order: Uint32Array;
  readonly values: Float32Array;
}

/**
 * A radix sort: O(n). Values move along with their indices, so that nothing is read out of order; sorting the indices
 * alone took four times as long. Memory: 16 bytes per value.
 */
export function rankByMagnitude(values: Float32Array): Ranking {
  let patterns: Uint32Array = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let order: Uint32Array = new Uint32Array(0);
  let spare: Uint32Array[] = [];
  for (const [pass, { shift, bits }] of DIGITS.entries()) {
    const [toPatterns, toOrder] = spare.length > 0 ? spare : [0, 0].map(() => new Uint32Array(values.length));
    const places = firstPlaces(patterns, shift, bits);
    sortByDigit(patterns, pass === 0 ? undefined : order, places, shift, toPatterns!, toOrder!);
    // The input is not changed.
    spare = pass === 0 ? [] : [patterns, order];
    [patterns, order] = [toPatterns!, toOrder!];
  }
  return { order, values: new Float32Array(patterns.buffer) };
}

/** Without the sign, the bits of floats are ordered like their magnitudes; inverted, the largest comes first. */
function firstPlaces(patterns: Uint32Array, shift: number, bits: number): Uint32Array {
  const mask = (1 << bits) - 1;
  const next = new Uint32Array(mask + 2);
  for (let i = 0; i < patterns.length; i++) next[((~patterns[i]! >>> shift) & mask) + 1]! += 1;
  for (let digit = 0; digit < mask; digit++) next[digit + 1]! += next[digit]!;
  return next;
}

/** One stable pass; `order` undefined: the identity. `next` has the position of the next value of each digit. */
function sortByDigit(
  patterns: Uint32Array,
  order: Uint32Array | undefined,
  next: Uint32Array,
  shift: number,
  toPatterns: Uint32Array,
  toOrder: Uint32Array,
): void {
  const mask = next.length - 2;
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i]!;
    const digit = (~pattern >>> shift) & mask;
    const place = next[digit]!;
    toPatterns[place] = pattern;
    toOrder[place] = order === undefined ? i : order[i]!;
    next[digit] = place + 1;
  }
}

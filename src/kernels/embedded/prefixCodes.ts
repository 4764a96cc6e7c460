/**
 * The fixed prefix codes of the embedded encoding. A symbol is a byte whose bits are set with the same
 * probability, so its length depends only on the number of set bits. A row gives, for 0 to 8 set bits,
 * a length L and a number m: of the symbols with that many bits, the m smallest have codes of L bits, the others of
 * L + 1. They are optimal codes of at most 12 bits (package-merge) for the probabilities beside them.
 */

/** For any byte; bits set with probability .004 .02 .05 .08 .12 .16 .2 .25 .3 .37 .5 .63 .75 .84 .92 .97. */
const ANY_CODES: readonly (readonly number[])[] = [
  [1, 1, 4, 6, 11, 9, 12, 56, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [1, 1, 4, 5, 9, 13, 11, 1, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [1, 1, 4, 4, 8, 8, 11, 5, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [1, 1, 4, 3, 8, 24, 11, 5, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [2, 1, 4, 6, 7, 28, 10, 54, 11, 1, 12, 56, 12, 28, 12, 8, 12, 1],
  [2, 1, 4, 4, 7, 28, 9, 56, 11, 29, 12, 56, 12, 28, 12, 8, 12, 1],
  [3, 1, 5, 8, 6, 17, 8, 54, 10, 3, 11, 1, 12, 28, 12, 8, 12, 1],
  [3, 1, 5, 8, 6, 10, 8, 56, 9, 5, 11, 55, 12, 28, 12, 8, 12, 1],
  [4, 1, 5, 8, 6, 6, 8, 56, 9, 70, 10, 56, 11, 11, 12, 8, 12, 1],
  [5, 1, 6, 8, 7, 28, 8, 56, 8, 66, 9, 56, 10, 28, 11, 7, 12, 1],
  [8, 1, 8, 8, 8, 28, 8, 56, 8, 70, 8, 56, 8, 28, 8, 8, 8, 1],
  [12, 1, 11, 7, 10, 28, 9, 56, 8, 66, 8, 56, 7, 28, 6, 8, 5, 1],
  [12, 1, 12, 8, 12, 28, 11, 55, 9, 5, 8, 56, 6, 10, 5, 8, 3, 1],
  [12, 1, 12, 8, 12, 28, 12, 56, 11, 29, 9, 56, 7, 28, 4, 4, 2, 1],
  [12, 1, 12, 8, 12, 28, 12, 56, 12, 70, 11, 5, 8, 24, 4, 3, 1, 1],
  [12, 1, 12, 8, 12, 28, 12, 56, 12, 70, 11, 1, 9, 13, 4, 5, 1, 1],
  // Fitted to trained weights.
  [6, 1, 6, 4, 7, 28, 8, 56, 8, 70, 9, 56, 9, 28, 9, 6, 9, 1],
  [5, 1, 7, 8, 9, 28, 9, 10, 10, 70, 9, 56, 8, 28, 5, 8, 2, 1],
  [1, 1, 7, 8, 8, 28, 9, 56, 10, 70, 9, 46, 10, 28, 9, 8, 7, 1],
  [2, 1, 5, 8, 7, 27, 9, 56, 9, 2, 10, 56, 10, 28, 9, 8, 7, 1],
  [6, 1, 6, 8, 7, 28, 8, 56, 8, 70, 9, 56, 9, 3, 10, 8, 10, 1],
  [4, 1, 6, 8, 7, 28, 8, 46, 9, 70, 9, 56, 9, 28, 7, 8, 5, 1],
  [5, 1, 7, 8, 8, 28, 9, 56, 9, 70, 9, 56, 7, 21, 6, 8, 3, 1],
  [5, 1, 8, 7, 10, 28, 10, 56, 10, 70, 10, 56, 8, 28, 6, 8, 1, 1],
];

/**
 * For bytes other than 0; bits set with probability .002 .02 .04 .06 .09 .12 .145 .17 .195 .22 .25 .28 .31 .35 .39 .44.
 */
const NONZERO_CODES: readonly (readonly number[])[] = [
  [0, 1, 3, 7, 11, 9, 12, 56, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 3, 6, 8, 8, 11, 5, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 3, 5, 7, 6, 11, 5, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 3, 4, 7, 19, 11, 53, 12, 70, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 3, 3, 7, 28, 10, 54, 11, 1, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 4, 8, 6, 17, 9, 55, 11, 1, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 4, 8, 6, 17, 9, 55, 11, 1, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 4, 8, 6, 15, 9, 56, 11, 61, 12, 56, 12, 28, 12, 8, 12, 1],
  [0, 1, 4, 8, 6, 14, 8, 2, 10, 3, 11, 1, 12, 28, 12, 8, 12, 1],
  [0, 1, 5, 8, 6, 28, 8, 56, 10, 70, 11, 11, 12, 28, 12, 8, 12, 1],
  [0, 1, 5, 8, 6, 26, 8, 56, 9, 5, 11, 55, 12, 28, 12, 8, 12, 1],
  [0, 1, 5, 8, 6, 18, 8, 56, 9, 69, 11, 55, 12, 28, 12, 8, 12, 1],
  [0, 1, 5, 8, 6, 13, 7, 1, 9, 70, 10, 56, 11, 27, 12, 8, 12, 1],
  [0, 1, 6, 8, 7, 28, 7, 6, 8, 70, 9, 56, 10, 28, 11, 7, 12, 1],
  [0, 1, 6, 8, 7, 28, 8, 56, 8, 70, 9, 56, 9, 19, 10, 8, 10, 1],
  [0, 1, 7, 8, 7, 28, 8, 56, 8, 70, 8, 23, 9, 28, 9, 8, 9, 1],
  // Fitted to trained weights.
  [0, 1, 8, 3, 10, 28, 10, 56, 10, 70, 9, 56, 7, 28, 5, 8, 2, 1],
  [0, 1, 7, 8, 8, 6, 9, 56, 9, 70, 8, 56, 7, 28, 6, 8, 4, 1],
  [0, 1, 5, 8, 7, 28, 8, 56, 9, 70, 9, 44, 9, 28, 9, 8, 7, 1],
  [0, 1, 7, 8, 8, 28, 8, 56, 8, 54, 8, 56, 8, 28, 8, 8, 7, 1],
  [0, 1, 4, 8, 7, 28, 8, 33, 10, 70, 11, 56, 11, 4, 12, 8, 9, 1],
  [0, 1, 4, 8, 7, 28, 9, 26, 10, 70, 10, 56, 9, 28, 10, 8, 6, 1],
  [0, 1, 3, 5, 8, 28, 10, 22, 12, 70, 12, 56, 12, 28, 12, 8, 11, 1],
  [0, 1, 4, 6, 6, 2, 8, 56, 9, 2, 11, 56, 12, 28, 11, 8, 10, 1],
];

/** Codes of each kind that a selection can name: their numbers fit four bits. The others serve fixed codes. */
export const SELECTABLE_CODES = 16;

export const MAX_CODE_BITS = 12;

/** Symbols are bytes. */
const SYMBOLS = 256;

/** Number of set bits of each byte. */
export const POPULATION: Uint8Array = Uint8Array.from({ length: SYMBOLS }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
});

export interface PrefixCode {
  /** For every symbol: length << 24 | its code in stream order, its first bit lowest. 0: it has none. */
  readonly entries: Uint32Array;
  /** For every value of the next 12 bits: symbol << 8 | length. */
  readonly lookup: Uint16Array;
  /** Mean length of the symbols with 0 to 8 set bits. */
  readonly meanLengths: Float64Array;
}

/** The code of any byte, 0 to 23. */
export const anyCode: (index: number) => PrefixCode = cached(ANY_CODES);
/** The code of bytes other than 0, 0 to 23. */
export const nonzeroCode: (index: number) => PrefixCode = cached(NONZERO_CODES);

/** Tables are built on first use, because a decoder needs few of them. */
function cached(rows: readonly (readonly number[])[]): (index: number) => PrefixCode {
  const built = new Array<PrefixCode | undefined>(rows.length);
  return (index) => {
    let code = built[index];
    if (code === undefined) {
      code = buildCode(symbolLengths(rows[index]!));
      built[index] = code;
    }
    return code;
  };
}

function symbolLengths(row: readonly number[]): Uint8Array {
  const seen = new Uint8Array(9);
  return Uint8Array.from({ length: SYMBOLS }, (_, symbol) => {
    const bits = POPULATION[symbol]!;
    const length = row[2 * bits]!;
    if (length === 0) return 0;
    return seen[bits]!++ < row[2 * bits + 1]! ? length : length + 1;
  });
}

/** Canonical: shorter codes first, among equals the smaller symbol first. */
function buildCode(lengths: Uint8Array): PrefixCode {
  const entries = new Uint32Array(SYMBOLS);
  const lookup = new Uint16Array(1 << MAX_CODE_BITS);
  let next = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (lengths[symbol] !== length) continue;
      const code = reverseBits(next, length);
      next += 1;
      entries[symbol] = (length << 24) | code;
      for (let bits = code; bits < lookup.length; bits += 1 << length) lookup[bits] = (symbol << 8) | length;
    }
    next <<= 1;
  }
  return { entries, lookup, meanLengths: meanLengths(lengths) };
}

function meanLengths(lengths: Uint8Array): Float64Array {
  const total = new Float64Array(9);
  const symbols = new Float64Array(9);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    total[POPULATION[symbol]!]! += lengths[symbol]!;
    symbols[POPULATION[symbol]!]! += 1;
  }
  return total.map((sum, k) => sum / symbols[k]!);
}

function reverseBits(value: number, count: number): number {
  let reversed = 0;
  for (let i = 0; i < count; i++) reversed |= ((value >>> i) & 1) << (count - 1 - i);
  return reversed;
}

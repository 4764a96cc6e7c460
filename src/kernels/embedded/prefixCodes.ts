/**
 * The fixed prefix codes of the embedded encoding. A symbol is a byte whose bits are set with the same
 * probability, so its length depends only on the number of set bits. A row gives, for 0 to 8 set bits, the length of the
 * symbols with that many bits; L:m where only the m smallest have codes of L bits, and the others of L + 1. They are
 * optimal codes of at most 12 bits (package-merge) for the probabilities beside them. Text takes half the size of lists
 * of numbers.
 */

/** For any byte; bits set with probability .004 .02 .05 .08 .12 .16 .2 .25 .3 .37 .5 .63 .75 .84 .92 .97. */
const ANY_CODES: readonly string[] = [
  '1 4:6 11:9 12 12 12 12 12 12',
  '1 4:5 9:13 11:1 12 12 12 12 12',
  '1 4:4 8:8 11:5 12 12 12 12 12',
  '1 4:3 8:24 11:5 12 12 12 12 12',
  '2 4:6 7 10:54 11:1 12 12 12 12',
  '2 4:4 7 9 11:29 12 12 12 12',
  '3 5 6:17 8:54 10:3 11:1 12 12 12',
  '3 5 6:10 8 9:5 11:55 12 12 12',
  '4 5 6:6 8 9 10 11:11 12 12',
  '5 6 7 8 8:66 9 10 11:7 12',
  '8 8 8 8 8 8 8 8 8',
  '12 11:7 10 9 8:66 8 7 6 5',
  '12 12 12 11:55 9:5 8 6:10 5 3',
  '12 12 12 12 11:29 9 7 4:4 2',
  '12 12 12 12 12 11:5 8:24 4:3 1',
  '12 12 12 12 12 11:1 9:13 4:5 1',
  // Fitted to trained weights.
  '6 7 7 8 8 8:14 9 9 8',
  '3 6 7 8 9 9 9 10 8',
  '6 8 10 10 10 9:14 8 6 1',
  '3 5 7 8 9:48 10 11 12 9',
  '2 8 7 11 10:2 10 9 6:2 2',
  '5 6 7 8 8:63 9 10 10 9',
  '5 7:1 8 9 9 9 7 6 3',
  '1 5 8 10 11 11:4 11 10 6',
  // Fitted to single tensors: they replace others where these suit a tensor less.
  '6 11 11:4 10 9 7 7 7 4',
  '6 6:5 7 8 8 9 9:27 10 10',
  '3 6 8 8 8:38 9 9 8 6',
  '6 9 9 9 8 7:28 8 7 5',
  '4 7 8 8 8:54 8 9 9 6',
  '4 5:6 7 8 8:2 9 10 11:7 12',
  '4 7 7 7:1 8 9 10 10 6',
  '1 5 7:11 10 11:13 12 12 12 12',
];

/**
 * For bytes other than 0; bits set with probability .002 .02 .04 .06 .09 .12 .145 .17 .195 .22 .25 .28 .31 .35 .39 .44.
 */
const NONZERO_CODES: readonly string[] = [
  '0 3:7 11:9 12 12 12 12 12 12',
  '0 3:6 8:8 11:5 12 12 12 12 12',
  '0 3:5 7:6 11:5 12 12 12 12 12',
  '0 3:4 7:19 11:53 12 12 12 12 12',
  '0 3:3 7 10:54 11:1 12 12 12 12',
  '0 4 6:17 9:55 11:1 12 12 12 12',
  '0 4 6:17 9:55 11:1 12 12 12 12',
  '0 4 6:15 9 11:61 12 12 12 12',
  '0 4 6:14 8:2 10:3 11:1 12 12 12',
  '0 5 6 8 10 11:11 12 12 12',
  '0 5 6:26 8 9:5 11:55 12 12 12',
  '0 5 6:18 8 9:69 11:55 12 12 12',
  '0 5 6:13 7:1 9 10 11:27 12 12',
  '0 6 7 7:6 8 9 10 11:7 12',
  '0 6 7 8 8 9 9:19 10 10',
  '0 7 7 8 8 8:23 9 9 9',
  // Fitted to trained weights.
  '0 6 9 9:36 9 8 7 6 5',
  '0 9 10 10 10 8:3 7 5 2',
  '0 5 7 8 9 9 9:16 9 7',
  '0 4 7 8:31 10 11 11:4 11 8',
  '0 8 8 8 8 8 8 8 7',
  '0 4 7 9 10 10 9:4 9 9',
  '0 5 8 10 9 8 7:7 8 4',
  '0 4 6:10 8:1 10 12 12 12 10',
  // Fitted to single tensors.
  '0 6 8 8 8:2 8 8 7 6',
  '0 9 10 9 8 8 7:23 6 5',
  '0 7 8 8 9 8:50 8 8 3',
  '0 6 7 8 8:22 9 8 8 7',
  '0 10 10 10 9 8 6:3 5 4',
  '0 3:2 7 9 11:29 12 12 12 12',
  '0 4 7 8 10:11 11:1 12 12 12',
  '0 6 7:23 8 9 8 9 8 6',
];

/** Codes of each kind. */
export const CODES = 32;
/** Those that a selection can name: their numbers fit four bits. The others serve fixed codes, and what replaces these. */
export const SELECTABLE_CODES = 16;

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
  /** For every value of as many next bits as the longest code has: symbol << 8 | length. */
  readonly lookup: Uint16Array;
}

/** The codes of a context; `undefined` in their place where bytes are stored as they are. */
export interface ContextCodes {
  /** For class 0: of the mask of those of eight groups that have a bit set. */
  readonly batch: PrefixCode | undefined;
  readonly bytes: ByteCodes | undefined;
}

export interface ByteCodes {
  /** Of the mask of bytes that are not 0. Without it, all bytes are coded. */
  readonly mask: PrefixCode | undefined;
  readonly byte: PrefixCode;
}

/** The code of any byte, 0 to 31. */
export const anyCode: (index: number) => PrefixCode = cached(ANY_CODES);
/** The code of bytes other than 0, 0 to 31. */
export const nonzeroCode: (index: number) => PrefixCode = cached(NONZERO_CODES);

/** Tables are built on first use, because a decoder needs few of them. */
function cached(rows: readonly string[]): (index: number) => PrefixCode {
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

function symbolLengths(row: string): Uint8Array {
  const lengths = row.split(' ').map((entry) => entry.split(':').map(Number));
  const seen = new Uint8Array(9);
  return Uint8Array.from({ length: SYMBOLS }, (_, symbol) => {
    const bits = POPULATION[symbol]!;
    const [length = 0, smallest = SYMBOLS] = lengths[bits]!;
    return seen[bits]!++ < smallest ? length : length + 1;
  });
}

/** Canonical: shorter codes first, among equals the smaller symbol first. Symbols of length 0 have none. */
export function buildCode(lengths: Uint8Array): PrefixCode {
  const entries = new Uint32Array(SYMBOLS);
  // Tables of a decoder share its nearest cache, so none is larger than its code needs.
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const lookup = new Uint16Array(1 << longest);
  let next = 0;
  for (let length = 1; length <= longest; length++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (lengths[symbol] !== length) continue;
      const code = reverseBits(next, length);
      next += 1;
      entries[symbol] = (length << 24) | code;
      for (let bits = code; bits < lookup.length; bits += 1 << length) lookup[bits] = (symbol << 8) | length;
    }
    next <<= 1;
  }
  return { entries, lookup };
}

function reverseBits(value: number, count: number): number {
  let reversed = 0;
  for (let i = 0; i < count; i++) reversed |= ((value >>> i) & 1) << (count - 1 - i);
  return reversed;
}

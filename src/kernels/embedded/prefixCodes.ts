/**
 * The fixed prefix codes of the embedded encoding. A symbol is a byte whose bits are set with the same
 * probability, so its length depends only on the number of set bits. A row gives, for 0 to 8 set bits, the length of the
 * symbols with that many bits, as a letter: `a` is 0, `m` is 12. A number behind it says how many symbols, the smallest,
 * have codes of that length; those of the others are one bit longer. They are optimal codes of at most 12 bits (package-merge)
 * for the probabilities beside them. Text takes less than half the size of lists of numbers.
 */

/** For any byte; bits set with probability .004 .02 .05 .08 .12 .16 .2 .25 .3 .37 .5 .63 .75 .84 .92 .97. */
const ANY_CODES: readonly string[] = [
  'be6l9mmmmmm',
  'be5j13l1mmmmm',
  'be4i8l5mmmmm',
  'be3i24l5mmmmm',
  'ce6hk54l1mmmm',
  'ce4hjl29mmmm',
  'dfg17i54k3l1mmm',
  'dfg10ij5l55mmm',
  'efg6ijkl11mm',
  'fghii66jkl7m',
  'iiiiiiiii',
  'ml7kji66ihgf',
  'mmml55j5ig10fd',
  'mmmml29jhe4c',
  'mmmmml5i24e3b',
  'mmmmml1j13e5b',
  // Fitted to trained weights.
  'ghhiii14jji',
  'dghijjjki',
  'gikkkj14igb',
  'dfhij48klmj',
  'cihlk2kjg2c',
  'fghii63jkkj',
  'fh1ijjjhgd',
  'bfikll4lkg',
  // Fitted to single tensors: they replace others where these suit a tensor less.
  'gll4kjhhhe',
  'gg5hiijj27kk',
  'dgiii38jjig',
  'gjjjih28ihf',
  'ehiii54ijjg',
  'ef6hii2jkl7m',
  'ehhh1ijkkg',
  'bfh11kl13mmmm',
];

/**
 * For bytes other than 0; bits set with probability .002 .02 .04 .06 .09 .12 .145 .17 .195 .22 .25 .28 .31 .35 .39 .44.
 */
const NONZERO_CODES: readonly string[] = [
  'ad7l9mmmmmm',
  'ad6i8l5mmmmm',
  'ad5h6l5mmmmm',
  'ad4h19l53mmmmm',
  'ad3hk54l1mmmm',
  'aeg17j55l1mmmm',
  'aeg17j55l1mmmm',
  'aeg15jl61mmmm',
  'aeg14i2k3l1mmm',
  'afgikl11mmm',
  'afg26ij5l55mmm',
  'afg18ij69l55mmm',
  'afg13h1jkl27mm',
  'aghh6ijkl7m',
  'aghiijj19kk',
  'ahhiii23jjj',
  // Fitted to trained weights.
  'agjj36jihgf',
  'ajkkki3hfc',
  'afhijjj16jh',
  'aehi31kll4li',
  'aiiiiiiih',
  'aehjkkj4jj',
  'afikjih7ie',
  'aeg10i1kmmmk',
  // Fitted to single tensors.
  'agiii2iihg',
  'ajkjiih23gf',
  'ahiiji50iid',
  'aghii22jiih',
  'akkkjig3fe',
  'ad2hjl29mmmm',
  'aehik11l1mmm',
  'agh23ijijig',
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
  const lengths = Array.from(row.matchAll(/([a-m])(\d*)/g), ([, letter, smallest]) => ({
    length: letter!.charCodeAt(0) - 97,
    smallest: Number(smallest || SYMBOLS),
  }));
  const seen = new Uint8Array(9);
  return Uint8Array.from({ length: SYMBOLS }, (_, symbol) => {
    const bits = POPULATION[symbol]!;
    const { length, smallest } = lengths[bits]!;
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

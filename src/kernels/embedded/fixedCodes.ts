import { anyCode, CODES, type ContextCodes, nonzeroCode, type PrefixCode } from './prefixCodes.js';
import { CLASS_OF } from './tile.js';

/**
 * The table of fixed codes: by the class of a group and its scale over the threshold of the plane. A tensor may have letters of
 * its own in some of its places.
 */

/** Classes above this one have its codes. */
const LAST_FIXED_CLASS = 4;
/**
 * Behind the contexts of classes are those of groups that are dense since the plane before, by their class up to this one, and
 * of those that are since the one before that.
 */
const LAST_DENSE_CLASS = 3;
const FIXED_FIRST = LAST_FIXED_CLASS + 1;
const FIXED_SECOND = FIXED_FIRST + LAST_DENSE_CLASS + 1;
export const FIXED_KINDS: number = FIXED_SECOND + 1;
/** Scales over the threshold, in quarter octaves from here on. */
export const LOWEST_RATIO = -16;
export const RATIOS = 24;
export const FIXED_CONTEXTS: number = FIXED_KINDS * RATIOS;

/** One letter per ratio: the number of a code, from a on. Batches; masks and bytes of each class; bytes of dense groups. */
const FIXED_LETTERS = [
  'xxxbxxdxxxrwssusssmsusux',
  'aaaaabbbbvvtsuqrrrrrrrrr',
  'aaaaabbaceebeehtsswwwsjr',
  'aaaaaaaabxttqklmnosooooo',
  'aaaaaababeteveitkmqorsms',
  'aaaaaakrqwkrqsmnoonppooo',
  'aaaaaalevvvevstxkmmnooms',
  'aaaaaaamwssmwpsnoooopppp',
  'aaaaaaaevssvsosklmmmnnnp',
  'aaaaaaaalssswooosoopppop',
  'aaaaaaaalnnnmnnmmmnnnooo',
  'tttttttttttttttttfrxxxxx',
  'hhhhhhhhhhhhhhhhhhrhhhhh',
  'hhhhhhhhhhhhhhhhhitiiiii',
  'iiiiiiiiiiiiiiiiiijvssss',
  'aaaaaaaaaaaaaaaavvvvvqqq',
];
const DENSE_ROW = 2 * FIXED_FIRST + 1;

/** Of each number of significant weights; the same of groups that are dense since the plane before, then since the one before that. */
export const FIXED_KIND_OF: Uint8Array = Uint8Array.from({ length: 3 * CLASS_OF.length }, (_, i) => {
  const kind = CLASS_OF[i % CLASS_OF.length]!;
  if (i < CLASS_OF.length) return Math.min(kind, LAST_FIXED_CLASS);
  return i < 2 * CLASS_OF.length ? FIXED_FIRST + Math.min(kind, LAST_DENSE_CLASS) : FIXED_SECOND;
});

/** Letters of the whole table. */
export const FIXED_PLACES: number = FIXED_LETTERS.length * RATIOS;

/** Where in the table the letters of a context are: of its batches and of its masks, which it may not have, and of its bytes. */
export type FixedPlaces = readonly [batch: number | undefined, mask: number | undefined, byte: number];

export function fixedPlaces(context: number): FixedPlaces {
  const kind = context % FIXED_KINDS;
  const place = (row: number) => RATIOS * row + Math.floor(context / FIXED_KINDS);
  if (kind >= FIXED_FIRST) return [undefined, undefined, place(DENSE_ROW + kind - FIXED_FIRST)];
  return [kind === 0 ? place(0) : undefined, place(2 * kind + 1), place(2 * kind + 2)];
}

/** The context that a place of the table belongs to. */
function contextAt(place: number): number {
  const row = Math.floor(place / RATIOS);
  const kind = row < DENSE_ROW ? Math.max(0, row - 1) >> 1 : FIXED_FIRST + row - DENSE_ROW;
  return FIXED_KINDS * (place % RATIOS) + kind;
}

/** The codes that a letter at a place of the table chooses from. */
export function codesAt(place: number): (index: number) => PrefixCode {
  const row = Math.floor(place / RATIOS);
  // Masks of class 0, and bytes of all classes, are not 0.
  return row === 1 || (row > 0 && row < DENSE_ROW && row % 2 === 0) ? nonzeroCode : anyCode;
}

/** The number of the code at a place of the table. */
export function letterAt(place: number): number {
  return FIXED_LETTERS[Math.floor(place / RATIOS)]!.charCodeAt(place % RATIOS) - 97;
}

let unchanged: readonly ContextCodes[] | undefined;
const changed = new WeakMap<Uint16Array, ReadonlyMap<number, ContextCodes>>();

/** Contexts without a replaced letter are the same objects whatever is replaced. */
export function fixedCodes(replaced?: Uint16Array): readonly ContextCodes[] {
  unchanged ??= Array.from({ length: FIXED_CONTEXTS }, (_, context) => fixedCodesOf(context, letterAt));
  if (!replaced?.length) return unchanged;
  const codes = changedCodes(replaced);
  return unchanged.map((own, context) => codes.get(context) ?? own);
}

/** The codes of the contexts with a replaced letter. */
export function changedCodes(replaced: Uint16Array): ReadonlyMap<number, ContextCodes> {
  const known = changed.get(replaced);
  if (known !== undefined) return known;
  const letters = new Map(Array.from(replaced, (both) => [Math.floor(both / CODES), both % CODES]));
  const letterOf = (place: number) => letters.get(place) ?? letterAt(place);
  const codes = new Map<number, ContextCodes>();
  for (const place of letters.keys()) {
    const context = contextAt(place);
    codes.set(context, fixedCodesOf(context, letterOf));
  }
  changed.set(replaced, codes);
  return codes;
}

function fixedCodesOf(context: number, letterOf: (place: number) => number): ContextCodes {
  const [batch, mask, byte] = fixedPlaces(context);
  const codeAt = (place: number) => codesAt(place)(letterOf(place));
  return {
    batch: batch === undefined ? undefined : codeAt(batch),
    bytes: { mask: mask === undefined ? undefined : codeAt(mask), byte: codeAt(byte) },
  };
}

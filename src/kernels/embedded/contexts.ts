import type { PlaneCoding, TileState } from './interface.js';
import { anyCode, nonzeroCode, type PrefixCode } from './prefixCodes.js';
import { CLASS_OF, CLASSES, DENSE, FIRST_DENSE, SECOND_DENSE } from './tile.js';

/**
 * The context of a group chooses the codes of its part of a bitmap. Where a plane has a selection, it is the class of
 * the group; with fixed codes it is that and the scale of the group over the threshold of the plane.
 */

/** In place of a context: the group is not in the bitmap. */
export const NO_CONTEXT = 0xff;

/** Fixed codes: classes above this one have its codes. */
const LAST_FIXED_CLASS = 4;
/** Behind the contexts of classes are those of groups that are dense since the plane before, and since the one before that. */
const FIXED_FIRST = LAST_FIXED_CLASS + 1;
const FIXED_SECOND = LAST_FIXED_CLASS + 2;
const FIXED_KINDS = LAST_FIXED_CLASS + 3;
/** Scales over the threshold, in quarter octaves from here on. */
const LOWEST_RATIO = -16;
const RATIOS = 24;

/** One letter per ratio: the number of a code, from a on. */
const FIXED_BATCHES = 'xxxbxxdxxxrwssusssmsusux';
const FIXED_MASKS = [
  'aaaaabbbbvvtsuqrrrrrrrrr',
  'aaaaaaaabxttqklmnosooooo',
  'aaaaaakrqwkrqsmnoonppooo',
  'aaaaaaamwssmwpsnoooopppp',
  'aaaaaaaalssswooosoopppop',
];
const FIXED_BYTES = [
  'aaaaabbaceebeehtsswwwsjr',
  'aaaaaababeteveitkmqorsms',
  'aaaaaalevvvevstxkmmnooms',
  'aaaaaaaevssvsosklmmmnnnp',
  'aaaaaaaalnnnmnnmmmnnnooo',
];
const FIXED_DENSE = ['aaaaaaaaxrrrtjritirvvqqq', 'aaaaaaaaaaaaaaaavvvvvqqq'];

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

/** The number of a context as a row of `codesOf`. */
export function contextsOf(
  state: TileState,
  { fixed, level }: Pick<PlaneCoding, 'fixed' | 'level'>,
): Uint8Array {
  const { counts, dense, scales } = state;
  return counts.map((count, group) => {
    const state = dense[group]!;
    if (state === DENSE) return NO_CONTEXT;
    if (!fixed) return state === 0 ? CLASS_OF[count]! : CLASSES;
    const ratio = Math.min(Math.max(scales[group]! - 4 * level - LOWEST_RATIO, 0), RATIOS - 1);
    return FIXED_KINDS * ratio + fixedKind(count, state);
  });
}

function fixedKind(count: number, dense: number): number {
  if (dense === FIRST_DENSE) return FIXED_FIRST;
  return dense === SECOND_DENSE ? FIXED_SECOND : Math.min(CLASS_OF[count]!, LAST_FIXED_CLASS);
}

/** What a kernel needs to find contexts as `contextsOf` does. */
export interface ContextRule {
  /** For each number of significant weights. */
  readonly kinds: Uint8Array;
  /** Of a group that is dense since the plane before; since the one before that. */
  readonly firstDense: number;
  readonly secondDense: number;
  /** What a step of the ratio adds. */
  readonly stride: number;
  /** Subtracted from the scale; then ratios are from 0 to `lastRatio`. */
  readonly offset: number;
  readonly lastRatio: number;
}

const FIXED_KIND_OF = CLASS_OF.map((kind) => Math.min(kind, LAST_FIXED_CLASS));

export function contextRule({ fixed, level }: Pick<PlaneCoding, 'fixed' | 'level'>): ContextRule {
  return {
    kinds: fixed ? FIXED_KIND_OF : CLASS_OF,
    firstDense: fixed ? FIXED_FIRST : CLASSES,
    secondDense: fixed ? FIXED_SECOND : CLASSES,
    stride: fixed ? FIXED_KINDS : 0,
    offset: 4 * level + LOWEST_RATIO,
    lastRatio: RATIOS - 1,
  };
}

const RAW: ContextCodes = { batch: undefined, bytes: undefined };

/** The codes of every context; those of classes that a selection leaves out are missing. */
export function codesOf({
  selection,
  fixed,
}: Pick<PlaneCoding, 'selection' | 'fixed'>): readonly (ContextCodes | undefined)[] {
  return fixed ? fixedCodes() : selectedCodes(selection);
}

/** In place of codes: the bytes of the class's groups are stored as they are. */
const RAW_CLASS = 0xff;

function selectedCodes(selection: Uint8Array): (ContextCodes | undefined)[] {
  const codes = new Array<ContextCodes | undefined>(CLASSES + 1);
  codes[CLASSES] = RAW;
  const [first = 0, second = 0, ...others] = selection;
  if (selection.length === 0) return codes;
  const bytes = { mask: nonzeroCode(first >> 4), byte: nonzeroCode(second & 15) };
  codes[0] = { batch: anyCode(first & 15), bytes: second === RAW_CLASS ? undefined : bytes };
  others.forEach((both, i) => {
    const coded = { batch: undefined, bytes: { mask: anyCode(both & 15), byte: nonzeroCode(both >> 4) } };
    codes[i + 1] = both === RAW_CLASS ? RAW : coded;
  });
  return codes;
}

let fixed: readonly ContextCodes[] | undefined;

function fixedCodes(): readonly ContextCodes[] {
  fixed ??= Array.from({ length: RATIOS }, (_, ratio) => {
    const code = (letters: string) => letters.charCodeAt(ratio) - 97;
    const classes = FIXED_MASKS.map((masks, kind) => ({
      batch: kind === 0 ? anyCode(code(FIXED_BATCHES)) : undefined,
      bytes: {
        mask: (kind === 0 ? nonzeroCode : anyCode)(code(masks)),
        byte: nonzeroCode(code(FIXED_BYTES[kind]!)),
      },
    }));
    const dense = FIXED_DENSE.map((bytes) => ({
      batch: undefined,
      bytes: { mask: undefined, byte: anyCode(code(bytes)) },
    }));
    return [...classes, ...dense];
  }).flat();
  return fixed;
}

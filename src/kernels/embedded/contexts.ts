import { FIXED_KIND_OF, FIXED_KINDS, fixedCodes, LOWEST_RATIO, RATIOS } from './fixedCodes.js';
import type { PlaneCoding, TileState } from './interface.js';
import { anyCode, type ContextCodes, nonzeroCode } from './prefixCodes.js';
import { CLASS_OF, CLASSES, DENSE } from './tile.js';

/**
 * The context of a group chooses the codes of its part of a bitmap. Where a plane has a selection, it is the class of
 * the group; with fixed codes it is that and the scale of the group over the threshold of the plane.
 */

/** In place of a context: the group is not in the bitmap. */
export const NO_CONTEXT = 0xff;

/** The number of a context as a row of `codesOf`. */
export function contextsOf(
  state: TileState,
  { fixed, level }: Pick<PlaneCoding, 'fixed' | 'level'>,
): Uint8Array {
  const { counts, dense, scales } = state;
  const { kinds, stride, offset, lastRatio } = contextRule({ fixed, level });
  return counts.map((count, group) => {
    const since = dense[group]!;
    if (since === DENSE) return NO_CONTEXT;
    const ratio = Math.min(Math.max(scales[group]! - offset, 0), lastRatio);
    return stride * ratio + kinds[since * CLASS_OF.length + count]!;
  });
}

/** What a kernel needs to find contexts as `contextsOf` does. */
export interface ContextRule {
  /** For each number of significant weights; the same of groups that are dense since the plane before; since the one before that. */
  readonly kinds: Uint8Array;
  /** What a step of the ratio adds. */
  readonly stride: number;
  /** Subtracted from the scale; then ratios are from 0 to `lastRatio`. */
  readonly offset: number;
  readonly lastRatio: number;
}

const SELECTED_KIND_OF = FIXED_KIND_OF.map((_, i) => CLASS_OF[i] ?? CLASSES);

export function contextRule({ fixed, level }: Pick<PlaneCoding, 'fixed' | 'level'>): ContextRule {
  return {
    kinds: fixed ? FIXED_KIND_OF : SELECTED_KIND_OF,
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
  return fixed ? fixedCodes(fixed) : selectedCodes(selection);
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

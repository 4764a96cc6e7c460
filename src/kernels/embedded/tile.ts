import { FormatError } from '../../errors.js';
import type { TileState } from './interface.js';

/** Tiles, groups and classes, for both implementations and the encoding. */

export const GROUP = 64;
export const GROUP_BYTES = GROUP / 8;

/** A class that is not coded. */
export const NO_CLASS = 0xff;

/** Smallest number of significant weights of each class; the classes of the format. */
const CLASS_STARTS = [0, 1, 2, 4, 7, 11, 16, 24, 33, 45];

export const CLASSES = CLASS_STARTS.length;

/** The class of a group by its number of significant weights, 0 to 64. */
export const CLASS_OF: Uint8Array = Uint8Array.from({ length: GROUP + 1 }, (_, count) =>
  CLASS_STARTS.findLastIndex((start) => start <= count),
);

/** Steps that a centroid divides a plane's interval into. */
export const CENTROID_STEPS = 256;

/** The state of a tile of `count` weights before its first plane, with the signs if they are known. */
export function newTileState(count: number, signs?: Uint8Array): TileState {
  const groups = Math.ceil(count / GROUP);
  const bitmap = GROUP_BYTES * groups;
  const bytes = new Uint8Array(2 * (bitmap + groups));
  const state = {
    count,
    bytes,
    significant: bytes.subarray(0, bitmap),
    signs: bytes.subarray(bitmap, 2 * bitmap),
    counts: bytes.subarray(2 * bitmap, 2 * bitmap + groups),
    dense: bytes.subarray(2 * bitmap + groups),
  };
  if (signs !== undefined) state.signs.set(signs);
  return state;
}

/** The class of every group after all planes, dense or not. */
export function finalClasses({ counts }: TileState): Uint8Array {
  return counts.map((count) => CLASS_OF[count]!);
}

/**
 * Checks that the selection has codes for the classes of all groups.
 * @param dense groups that are not coded; without it, all are
 * @throws FormatError
 */
export function checkSelection(selection: Uint8Array, counts: Uint8Array, dense?: Uint8Array): void {
  let most = -1;
  for (let group = 0; group < counts.length; group++) {
    if (counts[group]! > most && dense?.[group] !== 1) most = counts[group]!;
  }
  if (most < 0 || CLASS_OF[most]! + 1 < selection.length) return;
  throw new FormatError('Cannot decode the embedded bitmap: no codes for the class of a group', {
    expected: `below ${Math.max(0, selection.length - 1)}`,
    actual: CLASS_OF[most],
  });
}

/**
 * Bits behind the last weight mean nothing, and decoders would differ in what they make of them.
 * @throws FormatError unless they are 0
 */
export function checkPadding(plane: Uint8Array, count: number): void {
  const rest = count % 8;
  let byte = Math.floor(count / 8);
  let bits = rest > 0 ? plane[byte++]! >> rest : 0;
  for (; byte < plane.length; byte++) bits |= plane[byte]!;
  if (bits === 0) return;
  throw new FormatError('Cannot decode the embedded unit: its plane has bits behind the last weight', {
    expected: `${count} weights`,
  });
}

export function checkLength(unit: Uint8Array, used: number): void {
  if (used === unit.length) return;
  throw new FormatError('Cannot decode the embedded unit: wrong number of bytes', {
    expected: used,
    actual: unit.length,
  });
}

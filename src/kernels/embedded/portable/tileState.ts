import type { DenseRule, TileState } from '../interface.js';
import { POPULATION } from '../prefixCodes.js';
import { becomesDense, DENSE, FIRST_DENSE, GROUP_BYTES, GROUP_FIELDS, SECOND_DENSE } from '../tile.js';

/** The bits of a plane that make weights significant. */
export function freshBits({ significant }: TileState, plane: Uint8Array): Uint8Array {
  return plane.map((byte, i) => byte & ~significant[i]!);
}

/** Updates `significant` and `counts` by a plane, without coding it. */
export function countPlane(state: TileState, plane: Uint8Array): void {
  forNewlySignificant(state, plane, () => {});
}

export function forSignificant(
  { significant, dense }: TileState,
  visit: (byte: number, known: number) => void,
): void {
  for (let byte = 0; byte < significant.length; byte++) {
    if (dense[Math.floor(byte / GROUP_BYTES)] === 0 && significant[byte] !== 0)
      visit(byte, significant[byte]!);
  }
}

export function forNewlySignificant(
  { significant, counts, dense }: TileState,
  plane: Uint8Array,
  visit: (byte: number, fresh: number) => void,
): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] !== 0) continue;
    const end = (group + 1) * GROUP_BYTES;
    for (let byte = end - GROUP_BYTES; byte < end; byte++) {
      const fresh = plane[byte]! & ~significant[byte]!;
      if (fresh === 0) continue;
      visit(byte, fresh);
      significant[byte]! |= fresh;
      counts[group]! += POPULATION[fresh]!;
    }
  }
}

export function forNewlyDense(
  { count, significant, counts, dense, scales }: TileState,
  rule: DenseRule,
  level: number,
  visit: (byte: number, unknown: number) => void,
): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] !== 0 || !becomesDense(rule, counts[group]!, scales[group]!, level)) continue;
    dense[group] = FIRST_DENSE;
    const end = (group + 1) * GROUP_BYTES;
    for (let byte = end - GROUP_BYTES; byte < end; byte++) {
      // Positions after the last weight have no sign.
      const present = 8 * byte + 8 <= count ? 0xff : (1 << Math.max(0, count - 8 * byte)) - 1;
      visit(byte, present & ~significant[byte]!);
    }
  }
}

/** After a plane, groups that were dense before it are so for longer. */
export function ageDense({ dense }: TileState, codedDense: number): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] === FIRST_DENSE && codedDense > 1) dense[group] = SECOND_DENSE;
    else if (dense[group] !== 0) dense[group] = DENSE;
  }
}

/** The inverse of `groupsOf`: what `part` holds, from group `from` on. */
export function setGroups(state: TileState, from: number, part: TileState): void {
  let at = 0;
  let before = 0;
  for (const size of GROUP_FIELDS) {
    state.bytes.set(part.bytes.subarray(at, at + size * part.groups), before + size * from);
    at += size * part.groups;
    before += size * state.groups;
  }
}

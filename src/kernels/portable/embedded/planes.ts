import { FormatError } from '../../../errors.js';
import type { PlaneCoding, PlaneToCode, PlaneUnit, TileState, TileSurvey, TileUnit } from '../../embedded.js';
import { CLASS_OF, decodeBitmap, encodeBitmap, GROUP_BYTES, NO_CLASS } from './bitmapCode.js';
import { BitReader, BitWriter } from './bits.js';
import { POPULATION } from './codeTables.js';

/** The class of each group, by its significant weights; NO_CLASS for dense ones. */
export function classesOf({ counts, dense }: TileState): Uint8Array {
  return counts.map((count, group) => (dense[group] === 1 ? NO_CLASS : CLASS_OF[count]!));
}

export function decodePlanes(tiles: readonly PlaneUnit[], coding: PlaneCoding): void {
  for (const tile of tiles) decodePlane(tile, coding);
}

function decodePlane({ unit, state, plane }: PlaneUnit, { selection, apart }: PlaneCoding): void {
  let dense = 0;
  for (let group = 0; group < state.dense.length; group++) {
    if (state.dense[group] === 0) continue;
    const start = group * GROUP_BYTES;
    for (let i = 0; i < GROUP_BYTES; i++) plane[start + i] = unit[dense + i]!;
    dense += GROUP_BYTES;
  }
  const coded = dense < state.dense.length * GROUP_BYTES;
  const reader = new BitReader(unit.subarray(dense));
  if (coded) {
    const classes = classesOf(state);
    checkSelection(selection, state.counts, state.dense);
    decodeBitmap(reader, plane, classes, selection);
    if (apart) {
      forSignificant(state, (byte, known) => {
        plane[byte]! |= deposit(reader.read(POPULATION[known]!), known);
      });
    }
    forNewlySignificant(state, plane, (byte, fresh) => {
      state.signs[byte]! |= deposit(reader.read(POPULATION[fresh]!), fresh);
    });
  }
  checkLength(unit, dense + Math.ceil(reader.position / 8));
}

export function encodeTile(
  { planes, signs }: Pick<TileSurvey, 'planes' | 'signs'>,
  count: number,
  codings: readonly PlaneToCode[],
  threshold: number,
): { units: Uint8Array[]; state: TileState } {
  const groups = signs.length / GROUP_BYTES;
  const state: TileState = {
    count,
    significant: new Uint8Array(signs.length),
    signs: signs.slice(),
    counts: new Uint8Array(groups),
    dense: new Uint8Array(groups),
  };
  const units: Uint8Array[] = [];
  codings.forEach((coding, j) => {
    units.push(encodePlane(state, planes[j]!, coding));
    if (coding.signs) units.push(encodeSigns(state, threshold));
  });
  return { units, state };
}

function encodePlane(state: TileState, plane: Uint8Array, { selection, apart }: PlaneCoding): Uint8Array {
  const groups = state.dense.length;
  const raw: number[] = [];
  for (let group = 0; group < groups; group++) if (state.dense[group] === 1) raw.push(group);
  const writer = new BitWriter();
  if (raw.length < groups) {
    encodeBitmap(writer, apart ? freshBits(state, plane) : plane, classesOf(state), selection);
    if (apart) {
      forSignificant(state, (byte, known) => {
        writer.write(extract(plane[byte]!, known), POPULATION[known]!);
      });
    }
    forNewlySignificant(state, plane, (byte, fresh) => {
      writer.write(extract(state.signs[byte]!, fresh), POPULATION[fresh]!);
    });
  }
  const bits = writer.finish();
  const unit = new Uint8Array(raw.length * GROUP_BYTES + bits.length);
  raw.forEach((group, i) => {
    unit.set(plane.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES), i * GROUP_BYTES);
  });
  unit.set(bits, raw.length * GROUP_BYTES);
  return unit;
}

/** The bits of a plane that make weights significant. */
export function freshBits({ significant }: TileState, plane: Uint8Array): Uint8Array {
  return plane.map((byte, i) => byte & ~significant[i]!);
}

/** Moves `significant` and `counts` on by a plane, without coding it. */
export function countPlane(state: TileState, plane: Uint8Array): void {
  forNewlySignificant(state, plane, () => {});
}

export function decodeSigns(tiles: readonly TileUnit[], threshold: number): void {
  for (const { unit, state } of tiles) decodeTileSigns(unit, state, threshold);
}

function decodeTileSigns(unit: Uint8Array, state: TileState, threshold: number): void {
  const reader = new BitReader(unit);
  forNewlyDense(state, threshold, (byte, unknown) => {
    state.signs[byte]! |= deposit(reader.read(POPULATION[unknown]!), unknown);
  });
  checkLength(unit, Math.ceil(reader.position / 8));
}

function encodeSigns(state: TileState, threshold: number): Uint8Array {
  const writer = new BitWriter();
  forNewlyDense(state, threshold, (byte, unknown) => {
    writer.write(extract(state.signs[byte]!, unknown), POPULATION[unknown]!);
  });
  return writer.finish();
}

function forSignificant(
  { significant, dense }: TileState,
  visit: (byte: number, known: number) => void,
): void {
  for (let byte = 0; byte < significant.length; byte++) {
    if (dense[Math.floor(byte / GROUP_BYTES)] === 0 && significant[byte] !== 0)
      visit(byte, significant[byte]!);
  }
}

function forNewlySignificant(
  { significant, counts, dense }: TileState,
  plane: Uint8Array,
  visit: (byte: number, fresh: number) => void,
): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] === 1) continue;
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

function forNewlyDense(
  { count, significant, counts, dense }: TileState,
  threshold: number,
  visit: (byte: number, unknown: number) => void,
): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] === 1 || counts[group]! < threshold) continue;
    dense[group] = 1;
    const end = (group + 1) * GROUP_BYTES;
    for (let byte = end - GROUP_BYTES; byte < end; byte++) {
      // Weights behind the last one have no sign.
      const present = 8 * byte + 8 <= count ? 0xff : (1 << Math.max(0, count - 8 * byte)) - 1;
      visit(byte, present & ~significant[byte]!);
    }
  }
}

/** For each mask (high byte of the index) and eight bits: the lowest bits at the places of those set in the mask. */
export const DEPOSITS: Uint8Array = Uint8Array.from({ length: 1 << 16 }, (_, index) => {
  let bits = index & 0xff;
  let result = 0;
  for (let rest = index >> 8; rest !== 0; rest &= rest - 1, bits >>= 1) {
    if (bits & 1) result |= rest & -rest;
  }
  return result;
});

function deposit(bits: number, mask: number): number {
  return DEPOSITS[(mask << 8) | bits]!;
}

/** Collects the bits of `value` at the places of the bits set in `mask`, lowest first. */
function extract(value: number, mask: number): number {
  let result = 0;
  let place = 1;
  for (let rest = mask; rest !== 0; rest &= rest - 1, place <<= 1) {
    if (value & rest & -rest) result |= place;
  }
  return result;
}

/**
 * Groups of a class that no codes were given for would be read with nothing.
 * @param dense groups that are not coded; without it, all are
 */
export function checkSelection(selection: Uint8Array, counts: Uint8Array, dense?: Uint8Array): void {
  let most = -1;
  for (let group = 0; group < counts.length; group++) {
    if (counts[group]! > most && dense?.[group] !== 1) most = counts[group]!;
  }
  if (most < 0 || CLASS_OF[most]! + 1 < selection.length) return;
  throw new FormatError('embedded bitmap: class of a group has no codes', {
    expected: `below ${Math.max(0, selection.length - 1)}`,
    actual: CLASS_OF[most],
  });
}

export function checkLength(unit: Uint8Array, used: number): void {
  if (used === unit.length) return;
  throw new FormatError('embedded unit has the wrong length', { expected: used, actual: unit.length });
}

import type { PlaneCoding } from '../interface.js';
import { anyCode, MAX_CODE_BITS, nonzeroCode, type PrefixCode } from '../prefixCodes.js';
import type { BitReader, BitWriter } from './bits.js';

/**
 * Bitmaps of one bit a weight, coded by groups of 64. A group's class (how many of its weights have been significant
 * so far) chooses its codes: first a mask of its bytes that are not 0, then those bytes. Groups of class 0, which are
 * often empty, are masked once more: one byte says which of the next 8 of them have a bit set at all.
 */

export const GROUP = 64;
export const GROUP_BYTES = GROUP / 8;

/** A class that is not coded. */
export const NO_CLASS = 0xff;

/** In place of codes: the bytes of the class's groups stand as they are. */
const RAW = 0xff;

const LOOKUP_MASK = (1 << MAX_CODE_BITS) - 1;

/** Smallest number of significant weights of each class; the classes of the format. */
const CLASS_STARTS = [0, 1, 2, 4, 7, 11, 16, 24, 33, 45];

export const CLASSES = CLASS_STARTS.length;

/** The class of a group with so many significant weights, 0 to 64. */
export const CLASS_OF: Uint8Array = Uint8Array.from({ length: GROUP + 1 }, (_, count) =>
  CLASS_STARTS.findLastIndex((start) => start <= count),
);

/** The codes of a class, or `undefined` where its bytes stand as they are. */
export interface ClassCodes {
  readonly mask: PrefixCode;
  readonly byte: PrefixCode;
}

export interface BitmapCodes {
  /** For class 0: which of eight groups have a bit set. */
  readonly group: PrefixCode;
  readonly classes: readonly (ClassCodes | undefined)[];
}

/** The codes that a {@link PlaneCoding.selection} names. */
export function selectCodes(selection: Uint8Array): BitmapCodes {
  const first = selection[0]!;
  const classes: (ClassCodes | undefined)[] = [];
  if (selection[1] === RAW) classes.push(undefined);
  else classes.push({ mask: nonzeroCode(first >> 4), byte: nonzeroCode(selection[1]! & 15) });
  for (const both of selection.subarray(2)) {
    classes.push(both === RAW ? undefined : { mask: anyCode(both & 15), byte: nonzeroCode(both >> 4) });
  }
  return { group: anyCode(first & 15), classes };
}

/**
 * Fills the groups of `bitmap` that have a class.
 * @param classes the class of each group, below `selection.length - 1`, or NO_CLASS
 */
export function decodeBitmap(
  reader: BitReader,
  bitmap: Uint8Array,
  classes: Uint8Array,
  selection: Uint8Array,
): void {
  const codes = selectCodes(selection);
  let batch = 0;
  let batchLeft = 0;
  for (let group = 0; group < classes.length; group++) {
    const kind = classes[group]!;
    if (kind === NO_CLASS) continue;
    const start = group * GROUP_BYTES;
    if (kind === 0) {
      if (batchLeft === 0) {
        batch = decodeSymbol(reader, codes.group);
        batchLeft = 8;
      }
      const empty = (batch & 1) === 0;
      batch >>= 1;
      batchLeft -= 1;
      if (empty) {
        bitmap.fill(0, start, start + GROUP_BYTES);
        continue;
      }
    }
    const selected = codes.classes[kind];
    if (selected === undefined) {
      for (let i = 0; i < GROUP_BYTES; i++) bitmap[start + i] = reader.read(8);
      continue;
    }
    const mask = decodeSymbol(reader, selected.mask);
    for (let i = 0; i < GROUP_BYTES; i++) {
      bitmap[start + i] = (mask >> i) & 1 ? decodeSymbol(reader, selected.byte) : 0;
    }
  }
}

/** The other way round. */
export function encodeBitmap(
  writer: BitWriter,
  bitmap: Uint8Array,
  classes: Uint8Array,
  selection: Uint8Array,
): void {
  const codes = selectCodes(selection);
  let batchLeft = 0;
  for (let group = 0; group < classes.length; group++) {
    const kind = classes[group]!;
    if (kind === NO_CLASS) continue;
    const start = group * GROUP_BYTES;
    const mask = byteMask(bitmap, group);
    if (kind === 0) {
      if (batchLeft === 0) {
        encodeSymbol(writer, codes.group, batchMask(bitmap, classes, group));
        batchLeft = 8;
      }
      batchLeft -= 1;
      if (mask === 0) continue;
    }
    const selected = codes.classes[kind];
    if (selected !== undefined) encodeSymbol(writer, selected.mask, mask);
    for (let i = 0; i < GROUP_BYTES; i++) {
      const byte = bitmap[start + i]!;
      if (selected === undefined) writer.write(byte, 8);
      else if (byte !== 0) encodeSymbol(writer, selected.byte, byte);
    }
  }
}

/** Which bytes of a group are not 0. */
export function byteMask(bitmap: Uint8Array, group: number): number {
  let mask = 0;
  for (let i = 0; i < GROUP_BYTES; i++) if (bitmap[group * GROUP_BYTES + i] !== 0) mask |= 1 << i;
  return mask;
}

/** Which of the eight groups of class 0 from `group` on are not empty. */
export function batchMask(bitmap: Uint8Array, classes: Uint8Array, group: number): number {
  let mask = 0;
  for (let bit = 1; bit < 256 && group < classes.length; group++) {
    if (classes[group] !== 0) continue;
    if (byteMask(bitmap, group) !== 0) mask |= bit;
    bit <<= 1;
  }
  return mask;
}

function decodeSymbol(reader: BitReader, code: PrefixCode): number {
  const entry = code.lookup[reader.peek() & LOOKUP_MASK]!;
  reader.position += entry & 0xff;
  return entry >> 8;
}

function encodeSymbol(writer: BitWriter, code: PrefixCode, symbol: number): void {
  const entry = code.entries[symbol]!;
  writer.write(entry & 0xffffff, entry >>> 24);
}

import { MAX_CODE_BITS, type PrefixCode, selectCodes } from '../prefixCodes.js';
import { batchMask, byteMask } from '../survey.js';
import { GROUP_BYTES, NO_CLASS } from '../tile.js';
import type { BitReader, BitWriter } from './bits.js';

/**
 * Bitmaps of one bit per weight, coded in groups of 64. A group's class (how many of its weights have been significant
 * so far) chooses its codes: first a mask of its bytes that are not 0, then those bytes. Groups of class 0, which are
 * often empty, are masked once more: one byte tells which of the next 8 of them have a bit set.
 */

const LOOKUP_MASK = (1 << MAX_CODE_BITS) - 1;

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

/** The inverse. */
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

function decodeSymbol(reader: BitReader, code: PrefixCode): number {
  const entry = code.lookup[reader.peek() & LOOKUP_MASK]!;
  reader.position += entry & 0xff;
  return entry >> 8;
}

function encodeSymbol(writer: BitWriter, code: PrefixCode, symbol: number): void {
  const entry = code.entries[symbol]!;
  writer.write(entry & 0xffffff, entry >>> 24);
}

import { NO_CONTEXT } from '../contexts.js';
import type { ContextCodes, PrefixCode } from '../prefixCodes.js';
import { batchMask, byteMask } from '../survey.js';
import { GROUP_BYTES } from '../tile.js';
import type { BitReader, BitWriter } from './bits.js';

/**
 * Bitmaps of one bit per weight, coded in groups of 64. A group's context chooses its codes: first a mask of its bytes
 * that are not 0, then those bytes; or all bytes. Groups of class 0, which are often empty, are masked once more: one
 * byte tells which of the next 8 of them have a bit set.
 */

const ALL_BYTES = 0xff;

/**
 * Fills the groups of `bitmap` that have a context.
 * @param contexts of each group one with codes, or NO_CONTEXT
 */
export function decodeBitmap(
  reader: BitReader,
  bitmap: Uint8Array,
  contexts: Uint8Array,
  codes: readonly (ContextCodes | undefined)[],
): void {
  let groups = 0;
  let groupsLeft = 0;
  for (let group = 0; group < contexts.length; group++) {
    const context = contexts[group]!;
    if (context === NO_CONTEXT) continue;
    const start = group * GROUP_BYTES;
    const { batch, bytes } = codes[context]!;
    if (batch !== undefined) {
      if (groupsLeft === 0) {
        groups = decodeSymbol(reader, batch);
        groupsLeft = 8;
      }
      const empty = (groups & 1) === 0;
      groups >>= 1;
      groupsLeft -= 1;
      if (empty) {
        bitmap.fill(0, start, start + GROUP_BYTES);
        continue;
      }
    }
    if (bytes === undefined) {
      for (let i = 0; i < GROUP_BYTES; i++) bitmap[start + i] = reader.read(8);
      continue;
    }
    const mask = bytes.mask === undefined ? ALL_BYTES : decodeSymbol(reader, bytes.mask);
    for (let i = 0; i < GROUP_BYTES; i++) {
      bitmap[start + i] = (mask >> i) & 1 ? decodeSymbol(reader, bytes.byte) : 0;
    }
  }
}

/** The inverse. */
export function encodeBitmap(
  writer: BitWriter,
  bitmap: Uint8Array,
  contexts: Uint8Array,
  codes: readonly (ContextCodes | undefined)[],
): void {
  let groupsLeft = 0;
  for (let group = 0; group < contexts.length; group++) {
    const context = contexts[group]!;
    if (context === NO_CONTEXT) continue;
    const start = group * GROUP_BYTES;
    const { batch, bytes } = codes[context]!;
    const mask = byteMask(bitmap, group);
    if (batch !== undefined) {
      if (groupsLeft === 0) {
        const isBatched = (other: number) => codes[contexts[other]!]?.batch !== undefined;
        encodeSymbol(writer, batch, batchMask(bitmap, contexts.length, isBatched, group));
        groupsLeft = 8;
      }
      groupsLeft -= 1;
      if (mask === 0) continue;
    }
    if (bytes?.mask !== undefined) encodeSymbol(writer, bytes.mask, mask);
    for (let i = 0; i < GROUP_BYTES; i++) {
      const byte = bitmap[start + i]!;
      if (bytes === undefined) writer.write(byte, 8);
      else if (byte !== 0 || bytes.mask === undefined) encodeSymbol(writer, bytes.byte, byte);
    }
  }
}

function decodeSymbol(reader: BitReader, code: PrefixCode): number {
  const entry = code.lookup[reader.peek() & (code.lookup.length - 1)]!;
  reader.position += entry & 0xff;
  return entry >> 8;
}

function encodeSymbol(writer: BitWriter, code: PrefixCode, symbol: number): void {
  const entry = code.entries[symbol]!;
  writer.write(entry & 0xffffff, entry >>> 24);
}

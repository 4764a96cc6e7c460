import { corrupt } from '../corrupt.js';
import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET } from '../tables.js';
import { type Input, readBits, readManyBits, streamBits } from './bits.js';
import type { States } from './fse.js';

/**
 * State that passes from block to block of a frame: the last three offsets, and tables that the next one may repeat.
 */
export interface SequenceMemory {
  readonly offsets: Uint32Array;
  literalsLength: States | undefined;
  offset: States | undefined;
  matchLength: States | undefined;
}

export function newSequenceMemory(): SequenceMemory {
  return {
    offsets: Uint32Array.of(1, 4, 8),
    literalsLength: undefined,
    offset: undefined,
    matchLength: undefined,
  };
}

/** From this length on, `set` and `copyWithin` beat a loop over bytes. */
const WIDE = 32;

/**
 * Decodes and executes `count` sequences from the bit stream between `start` and `end`, and copies the
 * remaining literals. `out` ends where the block's output must end at the latest.
 * @returns where it ends
 * @throws CodecError
 */
export function execute(
  { bytes, view }: Input,
  start: number,
  end: number,
  count: number,
  literals: Uint8Array,
  memory: SequenceMemory,
  out: Uint8Array,
  outStart: number,
): number {
  const { entries: byLiterals, log: literalsLog } = memory.literalsLength!;
  const { entries: byOffset, log: offsetLog } = memory.offset!;
  const { entries: byMatch, log: matchLog } = memory.matchLength!;
  const { bits: literalsBits, bases: literalsBases } = LITERALS_LENGTH;
  const { bits: matchBits, bases: matchBases } = MATCH_LENGTH;
  // No helper function that reads bits, because a variable that a closure shares makes the loop three times slower.
  let left = streamBits(bytes, start, end);
  let literalsEntry = byLiterals[readBits(view, start, left, literalsLog)]!;
  left -= literalsLog;
  let offsetEntry = byOffset[readBits(view, start, left, offsetLog)]!;
  left -= offsetLog;
  let matchEntry = byMatch[readBits(view, start, left, matchLog)]!;
  left -= matchLog;
  let from = 0;
  let to = outStart;
  for (let sequence = 1; ; sequence++) {
    const offsetWidth = offsetEntry & 255;
    const offsetValue = OFFSET.bases[offsetWidth]! + readManyBits(view, start, left, offsetWidth);
    left -= offsetWidth;
    const matchWidth = matchBits[matchEntry & 255]!;
    const matchLength = matchBases[matchEntry & 255]! + readBits(view, start, left, matchWidth);
    left -= matchWidth;
    const literalsWidth = literalsBits[literalsEntry & 255]!;
    const literalsLength = literalsBases[literalsEntry & 255]! + readBits(view, start, left, literalsWidth);
    left -= literalsWidth;
    if (sequence < count) {
      const literalsNext = (literalsEntry >> 8) & 255;
      literalsEntry = byLiterals[(literalsEntry >>> 16) + readBits(view, start, left, literalsNext)]!;
      left -= literalsNext;
      const matchNext = (matchEntry >> 8) & 255;
      matchEntry = byMatch[(matchEntry >>> 16) + readBits(view, start, left, matchNext)]!;
      left -= matchNext;
      const offsetNext = (offsetEntry >> 8) & 255;
      offsetEntry = byOffset[(offsetEntry >>> 16) + readBits(view, start, left, offsetNext)]!;
      left -= offsetNext;
    }
    if (left < 0) throw corrupt('its sequences take more bits than it has', start);
    const offset = resolveOffset(offsetValue, literalsLength === 0, memory.offsets);
    if (literalsLength > literals.length - from)
      throw corrupt('its sequences take more literals than it has', start);
    if (literalsLength + matchLength > out.length - to) throw corrupt('it decodes to too many bytes', start);
    if (literalsLength > WIDE) {
      out.set(literals.subarray(from, from + literalsLength), to);
      to += literalsLength;
      from += literalsLength;
    } else for (const end = to + literalsLength; to < end; ) out[to++] = literals[from++]!;
    if (offset === 0 || offset > to) throw corrupt('a match begins before the start', start);
    if (matchLength > WIDE && offset >= matchLength) {
      out.copyWithin(to, to - offset, to - offset + matchLength);
      to += matchLength;
    } else for (const end = to + matchLength; to < end; to++) out[to] = out[to - offset]!;
    if (sequence === count) break;
  }
  if (left !== 0) throw corrupt('bits follow its sequences', start);
  return lastLiterals(literals.subarray(from), out, to, start);
}

/** 1 to 3 name the last three offsets; without literals, 1 and 2 name the second and third, and 3 the first minus 1. */
function resolveOffset(value: number, noLiterals: boolean, recent: Uint32Array): number {
  const which = value > 3 ? 3 : value - (noLiterals ? 0 : 1);
  const offset = value > 3 ? value - 3 : which === 3 ? recent[0]! - 1 : recent[which]!;
  if (which > 1) recent[2] = recent[1]!;
  if (which > 0) recent[1] = recent[0]!;
  recent[0] = offset;
  return offset;
}

/**
 * Copies the literals that the sequences have not used; returns the end.
 * @throws CodecError
 */
export function lastLiterals(literals: Uint8Array, out: Uint8Array, to: number, offset: number): number {
  if (literals.length > out.length - to) throw corrupt('it decodes to too many bytes', offset);
  out.set(literals, to);
  return to + literals.length;
}

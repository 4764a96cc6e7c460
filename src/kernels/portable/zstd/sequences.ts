import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET, type SequenceCodes } from '../../zstdTables.js';
import { readBits, readManyBits, streamBits } from './bits.js';
import { corrupt } from './corrupt.js';
import { makeStates, oneState, readDistribution, type States } from './fse.js';

/** What blocks of a frame hand on to the next: the last three offsets, and tables that it may repeat. */
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

/**
 * The sequences section of a compressed block (RFC 8878, section 3.1.1.3.2), decoded and executed one by one. `out`
 * ends where the block's output must end at the latest.
 * @returns where it ends
 * @throws CodecError
 */
export function runSequences(
  data: Uint8Array,
  start: number,
  end: number,
  literals: Uint8Array,
  memory: SequenceMemory,
  out: Uint8Array,
  to: number,
): number {
  const header = readHeader(data, start, end);
  if (header.count === 0) return copyLiterals(literals, 0, literals.length, out, to, start);
  let at = header.end;
  const kinds = [
    ['literalsLength', LITERALS_LENGTH, header.modes >> 6],
    ['offset', OFFSET, (header.modes >> 4) & 3],
    ['matchLength', MATCH_LENGTH, (header.modes >> 2) & 3],
  ] as const;
  for (const [kind, codes, mode] of kinds) {
    const described = readStates(data, at, end, mode, codes, memory[kind]);
    memory[kind] = described.states;
    at = described.end;
  }
  return execute(data, at, end, header.count, literals, memory, out, to);
}

function readHeader(data: Uint8Array, start: number, end: number) {
  if (start >= end) throw corrupt('sequences are cut', end);
  let count = data[start]!;
  let at = start + 1;
  if (count === 0) {
    if (at !== end) throw corrupt('bytes behind its literals', at);
    return { count, modes: 0, end: at };
  }
  if (count === 255) {
    count = (data[at]! | (data[at + 1]! << 8)) + 0x7f00;
    at += 2;
  } else if (count >= 128) {
    count = ((count - 128) << 8) + data[at]!;
    at += 1;
  }
  if (at >= end) throw corrupt('sequences are cut', end);
  const modes = data[at]!;
  if ((modes & 3) !== 0) throw corrupt('reserved bits of sequences', at);
  return { count, modes, end: at + 1 };
}

function readStates(
  data: Uint8Array,
  start: number,
  end: number,
  mode: number,
  { counts, bits, log, maxLog }: SequenceCodes,
  known: States | undefined,
): { states: States; end: number } {
  if (mode === 0) return { states: makeStates({ counts, log }, start), end: start };
  if (mode === 1) {
    if (start >= end) throw corrupt('sequences are cut', end);
    if (data[start]! >= bits.length) throw corrupt('code of a sequence', start);
    return { states: oneState(data[start]!), end: start + 1 };
  }
  if (mode === 2) {
    const distribution = readDistribution(data, start, end, maxLog, bits.length);
    return { states: makeStates(distribution, start), end: distribution.end };
  }
  if (known === undefined) throw corrupt('table of a block before is missing', start);
  return { states: known, end: start };
}

function execute(
  data: Uint8Array,
  start: number,
  end: number,
  count: number,
  literals: Uint8Array,
  memory: SequenceMemory,
  out: Uint8Array,
  outStart: number,
): number {
  const [byLiterals, byOffset, byMatch] = [memory.literalsLength!, memory.offset!, memory.matchLength!];
  const { bits: literalsBits, bases: literalsBases } = LITERALS_LENGTH;
  const { bits: matchBits, bases: matchBases } = MATCH_LENGTH;
  // No helper that takes bits and moves on: a variable that a closure shares costs three times the whole loop.
  let left = streamBits(data, start, end) - byLiterals.log;
  let literalsState = readBits(data, start, left + byLiterals.log, byLiterals.log);
  left -= byOffset.log;
  let offsetState = readBits(data, start, left + byOffset.log, byOffset.log);
  left -= byMatch.log;
  let matchState = readBits(data, start, left + byMatch.log, byMatch.log);
  let from = 0;
  let to = outStart;
  for (let sequence = 1; ; sequence++) {
    const offsetWidth = byOffset.symbols[offsetState]!;
    const matchCode = byMatch.symbols[matchState]!;
    const literalsCode = byLiterals.symbols[literalsState]!;
    const offsetValue = OFFSET.bases[offsetWidth]! + readManyBits(data, start, left, offsetWidth);
    left -= offsetWidth;
    const matchWidth = matchBits[matchCode]!;
    const matchLength = matchBases[matchCode]! + readBits(data, start, left, matchWidth);
    left -= matchWidth;
    const literalsWidth = literalsBits[literalsCode]!;
    const literalsLength = literalsBases[literalsCode]! + readBits(data, start, left, literalsWidth);
    left -= literalsWidth;
    if (sequence < count) {
      const literalsNext = byLiterals.nextBits[literalsState]!;
      literalsState = byLiterals.nextBases[literalsState]! + readBits(data, start, left, literalsNext);
      left -= literalsNext;
      const matchNext = byMatch.nextBits[matchState]!;
      matchState = byMatch.nextBases[matchState]! + readBits(data, start, left, matchNext);
      left -= matchNext;
      const offsetNext = byOffset.nextBits[offsetState]!;
      offsetState = byOffset.nextBases[offsetState]! + readBits(data, start, left, offsetNext);
      left -= offsetNext;
    }
    if (left < 0) throw corrupt('sequences take more bits than there are', start);
    const offset = resolveOffset(offsetValue, literalsLength === 0, memory.offsets);
    to = copyLiterals(literals, from, from + literalsLength, out, to, start);
    from += literalsLength;
    if (offset === 0 || offset > to) throw corrupt('match before the start', start);
    if (matchLength > out.length - to) throw corrupt('decodes to too many bytes', start);
    copyMatch(out, to, matchLength, offset);
    to += matchLength;
    if (sequence === count) break;
  }
  if (left !== 0) throw corrupt('bits behind its sequences', start);
  return copyLiterals(literals, from, literals.length, out, to, start);
}

/** 1 to 3 name the last three offsets; without literals the next ones, and 3 the first less one. */
function resolveOffset(value: number, noLiterals: boolean, recent: Uint32Array): number {
  const which = value > 3 ? 3 : value - (noLiterals ? 0 : 1);
  const offset = value > 3 ? value - 3 : which === 3 ? recent[0]! - 1 : recent[which]!;
  if (which > 1) recent[2] = recent[1]!;
  if (which > 0) recent[1] = recent[0]!;
  recent[0] = offset;
  return offset;
}

function copyLiterals(
  literals: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  to: number,
  offset: number,
): number {
  if (end > literals.length) throw corrupt('sequences take more literals than there are', offset);
  if (end - from > out.length - to) throw corrupt('decodes to too many bytes', offset);
  if (end - from > 32) out.set(literals.subarray(from, end), to);
  else for (let i = from, at = to; i < end; i++, at++) out[at] = literals[i]!;
  return to + end - from;
}

function copyMatch(out: Uint8Array, to: number, length: number, offset: number): void {
  if (length > 32 && offset >= length) out.copyWithin(to, to - offset, to - offset + length);
  else for (let at = to; at < to + length; at++) out[at] = out[at - offset]!;
}

// The sequences section of a compressed block (RFC 8878, section 3.1.1.3.2), decoded and executed one by one.

import { copy } from '../../lz4/assembly/copy';
import { ahead, first, streamBits } from './bits';
import { makeRun, makeStates, nextBase, nextBits, readCounts, valueBase, valueBits } from './fse';
import {
  CODES_BASES, CODES_BITS, CODES_BYTES, CODES_COUNTS, CODES_DEFAULT_LOG, CODES_LOG, CODES_MAX_LOG, CODES_STATES,
  CODES_SYMBOLS, CONSTANTS, COUNTS, LAST_LOG, LITERALS_ADDRESS, LITERALS_COUNT, OFFSETS,
} from './layout';
import { repeatBytes } from './repeat';

const LITERALS_LENGTH: usize = CONSTANTS;
const OFFSET: usize = CONSTANTS + CODES_BYTES;
const MATCH_LENGTH: usize = CONSTANTS + 2 * CODES_BYTES;

/** `window` is where the frame's output begins. Returns where the block's output ends, or 0. */
export function runSequences(at: usize, end: usize, to: usize, outEnd: usize, window: usize, work: usize): usize {
  if (at >= end) return 0;
  let literals: usize = load<u32>(work + LITERALS_ADDRESS);
  const literalsEnd = literals + load<u32>(work + LITERALS_COUNT);
  let count: u32 = load<u8>(at++);
  if (count >= 128) {
    const countBytes: usize = count == 255 ? 2 : 1;
    if (end - at < countBytes) return 0;
    count = count == 255 ? (load<u16>(at) as u32) + 0x7f00 : ((count - 128) << 8) + load<u8>(at);
    at += countBytes;
  }
  // 0 may be written in two bytes as well. Without sequences, nothing follows.
  if (count == 0) return at == end ? lastLiterals(literals, literalsEnd, to, outEnd) : 0;
  if (at >= end) return 0;
  const modes: u32 = load<u8>(at++);
  if ((modes & 3) != 0) return 0;
  at = readCodes(at, end, modes >> 6, work + LITERALS_LENGTH, work);
  if (at == 0) return 0;
  at = readCodes(at, end, (modes >> 4) & 3, work + OFFSET, work);
  if (at == 0) return 0;
  at = readCodes(at, end, (modes >> 2) & 3, work + MATCH_LENGTH, work);
  if (at == 0) return 0;

  const literalsStates = work + LITERALS_LENGTH + CODES_STATES;
  const offsetStates = work + OFFSET + CODES_STATES;
  const matchStates = work + MATCH_LENGTH + CODES_STATES;
  const literalsLog = load<u32>(work + LITERALS_LENGTH + CODES_LOG) - 1;
  const offsetLog = load<u32>(work + OFFSET + CODES_LOG) - 1;
  const matchLog = load<u32>(work + MATCH_LENGTH + CODES_LOG) - 1;
  let left = streamBits(at, end);
  let bits = ahead(at, left);
  let literalsState = first(bits, literalsLog);
  bits <<= literalsLog as u64;
  let offsetState = first(bits, offsetLog);
  bits <<= offsetLog as u64;
  let matchState = first(bits, matchLog);
  left -= literalsLog + offsetLog + matchLog;
  let offset0 = load<u32>(work + OFFSETS);
  let offset1 = load<u32>(work + OFFSETS, 4);
  let offset2 = load<u32>(work + OFFSETS, 8);

  while (true) {
    if (left < 0) return 0;
    const literalsEntry = load<u64>(literalsStates + (literalsState << 3));
    const offsetEntry = load<u64>(offsetStates + (offsetState << 3));
    const matchEntry = load<u64>(matchStates + (matchState << 3));
    // At most 31 + 16 bits, then 16 + 9 + 9 + 8.
    bits = ahead(at, left);
    const offsetWidth = valueBits(offsetEntry);
    const matchWidth = valueBits(matchEntry);
    let offset = valueBase(offsetEntry) + first(bits, offsetWidth);
    bits <<= offsetWidth as u64;
    const matchLength: usize = valueBase(matchEntry) + first(bits, matchWidth);
    left -= offsetWidth + matchWidth;
    bits = ahead(at, left);
    const literalsWidth = valueBits(literalsEntry);
    const literalsLength: usize = valueBase(literalsEntry) + first(bits, literalsWidth);
    left -= literalsWidth;
    count--;
    if (count > 0) {
      bits <<= literalsWidth as u64;
      const literalsNext = nextBits(literalsEntry);
      literalsState = nextBase(literalsEntry) + first(bits, literalsNext);
      bits <<= literalsNext as u64;
      const matchNext = nextBits(matchEntry);
      matchState = nextBase(matchEntry) + first(bits, matchNext);
      bits <<= matchNext as u64;
      const offsetNext = nextBits(offsetEntry);
      offsetState = nextBase(offsetEntry) + first(bits, offsetNext);
      left -= literalsNext + matchNext + offsetNext;
    }

    if (offset > 3) {
      offset -= 3;
      offset2 = offset1;
      offset1 = offset0;
      offset0 = offset;
    } else {
      // 1 to 3 name the last three offsets; without literals the next ones, and 3 the first less one.
      const which = offset - u32(literalsLength != 0);
      if (which == 0) offset = offset0;
      else {
        offset = which == 1 ? offset1 : which == 2 ? offset2 : offset0 - 1;
        if (which > 1) offset2 = offset1;
        offset1 = offset0;
        offset0 = offset;
      }
    }

    if (literalsLength > literalsEnd - literals || literalsLength > outEnd - to) return 0;
    copy(to, literals, literalsLength);
    literals += literalsLength;
    to += literalsLength;
    if (offset == 0 || (offset as usize) > to - window || matchLength > outEnd - to) return 0;
    if (offset >= 16) copy(to, to - offset, matchLength);
    else repeatBytes(to, matchLength, offset);
    to += matchLength;
    if (count == 0) break;
  }
  if (left != 0) return 0;
  store<u32>(work + OFFSETS, offset0);
  store<u32>(work + OFFSETS, offset1, 4);
  store<u32>(work + OFFSETS, offset2, 8);
  return lastLiterals(literals, literalsEnd, to, outEnd);
}

function lastLiterals(literals: usize, literalsEnd: usize, to: usize, outEnd: usize): usize {
  const count = literalsEnd - literals;
  if (count > outEnd - to) return 0;
  if (literals != to) copy(to, literals, count);
  return to + count;
}

/** Makes the states of one kind of code ready; returns where their description ends, or 0. */
function readCodes(at: usize, end: usize, mode: u32, codes: usize, work: usize): usize {
  const symbols = load<u32>(codes, CODES_SYMBOLS);
  const states = codes + CODES_STATES;
  const bits = codes + CODES_BITS;
  const bases = codes + CODES_BASES;
  if (mode == 3) return load<u32>(codes, CODES_LOG) == 0 ? 0 : at;
  if (mode == 1) {
    if (at >= end) return 0;
    const symbol: u32 = load<u8>(at);
    if (symbol >= symbols) return 0;
    makeRun(states, symbol, bits, bases);
    store<u32>(codes, 1, CODES_LOG);
    return at + 1;
  }
  let log: u32;
  if (mode == 0) {
    log = load<u32>(codes, CODES_DEFAULT_LOG);
    for (let symbol: u32 = 0; symbol < symbols; symbol++) {
      store<i16>(work + COUNTS + 2 * symbol, load<i8>(codes + CODES_COUNTS + symbol));
    }
  } else {
    at = readCounts(at, end, load<u32>(codes, CODES_MAX_LOG), symbols, work);
    if (at == 0) return 0;
    log = load<u32>(work + LAST_LOG);
  }
  if (!makeStates(states, log, symbols, bits, bases, work)) return 0;
  store<u32>(codes, log + 1, CODES_LOG);
  return at;
}

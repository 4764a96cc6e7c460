// Huffman-coded literals (RFC 8878, section 4.2). An entry of the table: symbol, then the number of its bits.

import { ahead, first, streamBits } from './bits';
import { makeStates, nextBase, nextBits, readCounts, valueBase } from './fse';
import { COUNTS, HUFFMAN, HUFFMAN_BITS, LAST_LOG, WEIGHTS, WEIGHT_STATES } from './layout';

const MAX_BITS: u32 = 11;
const MAX_WEIGHT_LOG: u32 = 6;
const MAX_SYMBOLS: u32 = 256;
/** Weights from 0 on: with a larger one, codes would be longer. */
const ALL_WEIGHTS: u32 = MAX_BITS + 1;
/** Fewer literals are in one stream: of four, the first three would have more than there are. */
const MIN_FOUR_STREAMS: u32 = 6;

/** Reads a table description; returns where it ends, or 0. */
export function readHuffman(at: usize, end: usize, work: usize): usize {
  if (at >= end) return 0;
  const header: u32 = load<u8>(at++);
  const next = at + (header < 128 ? header : (header - 126) >> 1);
  if (next > end) return 0;
  const count = header < 128 ? readCodedWeights(at, next, work) : readPlainWeights(at, header - 127, work);
  if (count == 0 || !makeTable(count, work)) return 0;
  return next;
}

function readPlainWeights(at: usize, count: u32, work: usize): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const pair = load<u8>(at + (i >> 1));
    store<u8>(work + WEIGHTS + i, i & 1 ? pair & 15 : pair >> 4);
  }
  return count;
}

/** Two states take turns, until one wants bits that are not there: then the other gives its last value. */
function readCodedWeights(at: usize, end: usize, work: usize): u32 {
  const start = readCounts(at, end, MAX_WEIGHT_LOG, ALL_WEIGHTS, work);
  if (start == 0) return 0;
  const log = load<u32>(work + LAST_LOG);
  const states = work + WEIGHT_STATES;
  if (!makeStates(states, log, ALL_WEIGHTS, 0, 0, work)) return 0;
  let left = streamBits(start, end);
  if (left < 2 * (log as i32)) return 0;
  let one = states + (first(ahead(start, left), log) << 3);
  left -= log;
  let other = states + (first(ahead(start, left), log) << 3);
  left -= log;
  // The last weight is implied, so there is room for 255.
  for (let count: u32 = 0; count < MAX_SYMBOLS - 2; ) {
    const entry = load<u64>(one);
    const width = nextBits(entry);
    store<u8>(work + WEIGHTS + count++, valueBase(entry) as u8);
    if (left < (width as i32)) {
      store<u8>(work + WEIGHTS + count++, valueBase(load<u64>(other)) as u8);
      return count;
    }
    one = other;
    other = states + ((nextBase(entry) + first(ahead(start, left), width)) << 3);
    left -= width;
  }
  return 0;
}

/** The weights of all symbols but the last are known: the last one makes the sum a power of two. */
function makeTable(count: u32, work: usize): bool {
  const places = work + COUNTS;
  memory.fill(places, 0, 64);
  let sum: u32 = 0;
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const weight: u32 = load<u8>(work + WEIGHTS + symbol);
    if (weight > MAX_BITS) return false;
    const place = places + 4 * weight;
    store<u32>(place, load<u32>(place) + 1);
    sum += (1 << weight) >> 1;
  }
  if (sum == 0) return false;
  const bits: u32 = 32 - clz<u32>(sum);
  const rest = ((1 as u32) << bits) - sum;
  if (bits > MAX_BITS || (rest & (rest - 1)) != 0) return false;
  const last = 32 - clz<u32>(rest);
  store<u8>(work + WEIGHTS + count, last as u8);
  const lastPlace = places + 4 * last;
  store<u32>(lastPlace, load<u32>(lastPlace) + 1);
  // Symbols of weight 1, the longest codes, come in pairs.
  const longest = load<u32>(places, 4);
  if (longest < 2 || (longest & 1) != 0) return false;

  // Turn the numbers of symbols of each weight into the places where they begin: longest codes first.
  let place: u32 = 0;
  for (let weight: u32 = 1; weight <= bits; weight++) {
    const symbols = load<u32>(places + 4 * weight);
    store<u32>(places + 4 * weight, place);
    place += symbols << (weight - 1);
  }
  for (let symbol: u32 = 0; symbol <= count; symbol++) {
    const weight: u32 = load<u8>(work + WEIGHTS + symbol);
    if (weight == 0) continue;
    const start = load<u32>(places + 4 * weight);
    const length: u32 = 1 << (weight - 1);
    store<u32>(places + 4 * weight, start + length);
    fill(work + HUFFMAN + (start << 1), length, symbol | ((bits + 1 - weight) << 8));
  }
  store<u32>(work + HUFFMAN_BITS, bits);
  return true;
}

function fill(to: usize, count: u32, entry: u32): void {
  if (count < 4) {
    for (; count > 0; count--, to += 2) store<u16>(to, entry as u16);
    return;
  }
  const four = (entry as u64) * 0x0001000100010001;
  for (; count > 0; count -= 4, to += 8) store<u64>(to, four);
}

/** Decodes one stream to exactly `count` bytes. */
export function decodeStream(start: usize, end: usize, to: usize, count: u32, work: usize): bool {
  return finish(start, streamBits(start, end), to, to + count, work);
}

/** Decodes four streams, which a table of three u16 sizes precedes, to exactly `count` bytes. */
export function decodeFourStreams(at: usize, end: usize, to: usize, count: u32, work: usize): bool {
  if (end - at < 10 || count < MIN_FOUR_STREAMS) return false;
  const start0 = at + 6;
  const start1 = start0 + load<u16>(at);
  const start2 = start1 + load<u16>(at, 2);
  const start3 = start2 + load<u16>(at, 4);
  if (start3 >= end) return false;
  let left0 = streamBits(start0, start1);
  let left1 = streamBits(start1, start2);
  let left2 = streamBits(start2, start3);
  let left3 = streamBits(start3, end);
  const part: u32 = (count + 3) >> 2;
  const end0 = to + part;
  const end1 = end0 + part;
  const end2 = end1 + part;
  const end3 = to + count;
  let to0 = to;
  let to1 = end0;
  let to2 = end1;
  let to3 = end2;

  const table = work + HUFFMAN;
  const shift = (64 - load<u32>(work + HUFFMAN_BITS)) as u64;
  // Five symbols of at most 11 bits are within what `ahead` gives. The last part is the shortest.
  while (to3 + 5 <= end3 && (left0 | left1 | left2 | left3) >= 0) {
    let bits0 = ahead(start0, left0);
    let bits1 = ahead(start1, left1);
    let bits2 = ahead(start2, left2);
    let bits3 = ahead(start3, left3);
    for (let i: usize = 0; i < 5; i++) {
      const entry0: u32 = load<u16>(table + (((bits0 >> shift) as usize) << 1));
      const entry1: u32 = load<u16>(table + (((bits1 >> shift) as usize) << 1));
      const entry2: u32 = load<u16>(table + (((bits2 >> shift) as usize) << 1));
      const entry3: u32 = load<u16>(table + (((bits3 >> shift) as usize) << 1));
      store<u8>(to0 + i, entry0 as u8);
      store<u8>(to1 + i, entry1 as u8);
      store<u8>(to2 + i, entry2 as u8);
      store<u8>(to3 + i, entry3 as u8);
      bits0 <<= (entry0 >> 8) as u64;
      bits1 <<= (entry1 >> 8) as u64;
      bits2 <<= (entry2 >> 8) as u64;
      bits3 <<= (entry3 >> 8) as u64;
      left0 -= entry0 >> 8;
      left1 -= entry1 >> 8;
      left2 -= entry2 >> 8;
      left3 -= entry3 >> 8;
    }
    to0 += 5;
    to1 += 5;
    to2 += 5;
    to3 += 5;
  }
  return (
    finish(start0, left0, to0, end0, work) &&
    finish(start1, left1, to1, end1, work) &&
    finish(start2, left2, to2, end2, work) &&
    finish(start3, left3, to3, end3, work)
  );
}

/** The last symbols of a stream; true when they and the bits end together. */
function finish(start: usize, left: i32, to: usize, end: usize, work: usize): bool {
  const table = work + HUFFMAN;
  const shift = (64 - load<u32>(work + HUFFMAN_BITS)) as u64;
  for (; to < end && left >= 0; to++) {
    const entry: u32 = load<u16>(table + (((ahead(start, left) >> shift) as usize) << 1));
    store<u8>(to, entry as u8);
    left -= entry >> 8;
  }
  return left == 0 && to == end;
}

// Finite state entropy tables (RFC 8878, section 4.1). A state takes 8 bytes: the next state's base u16, how many bits
// to add to it u8, how many bits the value takes u8, the value's base u32.

import { COUNTS, LAST_LOG, NEXT } from './layout';

/**
 * Reads a distribution of at most `symbols` symbols to COUNTS, and its log to LAST_LOG. Returns where it ends, or 0.
 */
export function readCounts(at: usize, end: usize, maxLog: u32, symbols: u32, work: usize): usize {
  if (at >= end) return 0;
  const log = (load<u8>(at) & 15) + 5;
  if (<u32>log > maxLog) return 0;
  const start = at;
  let bit: u32 = 4;
  let remaining: i32 = (1 << log) + 1;
  let threshold: i32 = 1 << log;
  let width: u32 = log + 1;
  let symbol: u32 = 0;
  while (remaining > 1) {
    if (symbol >= symbols || start + (bit >> 3) >= end) return 0;
    const word = (load<u32>(start + (bit >> 3)) >> (bit & 7)) as i32;
    // Small values take one bit less.
    const small = 2 * threshold - 1 - remaining;
    let count = word & (threshold - 1);
    if (count < small) bit += width - 1;
    else {
      count = word & (2 * threshold - 1);
      if (count >= threshold) count -= small;
      bit += width;
    }
    count--;
    remaining -= count < 0 ? 1 : count;
    store<i16>(work + COUNTS + 2 * symbol++, count as i16);
    if (count == 0) {
      let repeat: u32 = 3;
      while (repeat == 3) {
        if (start + (bit >> 3) >= end) return 0;
        repeat = (load<u16>(start + (bit >> 3)) >> (bit & 7)) & 3;
        bit += 2;
        if (symbol + repeat > symbols) return 0;
        for (let i: u32 = 0; i < repeat; i++) store<i16>(work + COUNTS + 2 * symbol++, 0);
      }
    }
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold >>= 1;
    }
  }
  const next = start + ((bit + 7) >> 3);
  if (remaining != 1 || next > end) return 0;
  for (; symbol < symbols; symbol++) store<i16>(work + COUNTS + 2 * symbol, 0);
  store<u32>(work + LAST_LOG, log);
  return next;
}

/**
 * Makes the states of the distribution in COUNTS. `bits` and `bases` describe the symbols; 0 for both: the symbol is
 * the value. False when the distribution is not whole.
 */
export function makeStates(states: usize, log: u32, symbols: u32, bits: usize, bases: usize, work: usize): bool {
  const size: u32 = 1 << log;
  let high = size;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = load<i16>(work + COUNTS + 2 * symbol);
    if (count == -1) {
      store<u32>(states + (--high << 3), symbol, 4);
      store<u16>(work + NEXT + 2 * symbol, 1);
    } else store<u16>(work + NEXT + 2 * symbol, count as u16);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  const mask = size - 1;
  let place: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    for (let count: i32 = load<i16>(work + COUNTS + 2 * symbol); count > 0; count--) {
      store<u32>(states + (place << 3), symbol, 4);
      place = (place + step) & mask;
      while (place >= high) place = (place + step) & mask;
    }
  }
  if (place != 0) return false;
  for (let state: u32 = 0; state < size; state++) {
    const entry = states + (state << 3);
    const symbol = load<u32>(entry, 4);
    const next: u32 = load<u16>(work + NEXT + 2 * symbol);
    store<u16>(work + NEXT + 2 * symbol, (next + 1) as u16);
    const width = log - (31 - clz<u32>(next));
    store<u16>(entry, ((next << width) - size) as u16);
    store<u8>(entry, width as u8, 2);
    if (bases == 0) continue;
    store<u8>(entry, load<u8>(bits + symbol), 3);
    store<u32>(entry, load<u32>(bases + 4 * symbol), 4);
  }
  return true;
}

/** One state that gives the same symbol for ever. */
export function makeRun(states: usize, symbol: usize, bits: usize, bases: usize): void {
  store<u32>(states, 0);
  store<u8>(states, load<u8>(bits + symbol), 3);
  store<u32>(states, load<u32>(bases + 4 * symbol), 4);
}

// @ts-ignore: decorator
@inline
export function nextBase(entry: u64): u32 {
  return (entry as u32) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function nextBits(entry: u64): u32 {
  return ((entry as u32) >> 16) & 0xff;
}

// @ts-ignore: decorator
@inline
export function valueBits(entry: u64): u32 {
  return (entry as u32) >> 24;
}

// @ts-ignore: decorator
@inline
export function valueBase(entry: u64): u32 {
  return (entry >> 32) as u32;
}

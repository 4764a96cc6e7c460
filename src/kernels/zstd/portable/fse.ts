import { corrupt } from '../corrupt.js';

/** How often each symbol occurs, of 2^log; −1 means less than once. */
export interface Distribution {
  readonly counts: Int16Array;
  readonly log: number;
  /** The end of its description. */
  readonly end: number;
}

/**
 * A finite state entropy table (RFC 8878, section 4.1). An entry for each state: bits 0 to 7 are its symbol; the
 * next state is bits 16 to 31 plus the next bits of the stream, whose number is in bits 8 to 15.
 */
export interface States {
  readonly log: number;
  readonly entries: Uint32Array;
}

/** @throws CodecError */
export function readDistribution(
  data: Uint8Array,
  start: number,
  end: number,
  maxLog: number,
  symbols: number,
): Distribution {
  const log = start < end ? (data[start]! & 15) + 5 : Number.POSITIVE_INFINITY;
  if (log > maxLog) throw corrupt('the accuracy of a distribution is too high', start);
  const counts = new Int16Array(symbols);
  let bit = 4;
  let remaining = 2 ** log + 1;
  let threshold = 2 ** log;
  let width = log + 1;
  let symbol = 0;
  const peek = () => {
    const at = start + (bit >> 3);
    if (at >= end) throw corrupt('a distribution is truncated', end);
    return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) >> (bit & 7);
  };
  while (remaining > 1) {
    if (symbol >= symbols) throw corrupt('a distribution has too many symbols', start);
    const word = peek();
    // Small values take one bit fewer.
    const small = 2 * threshold - 1 - remaining;
    let count = word & (threshold - 1);
    if (count < small) bit += width - 1;
    else {
      count = word & (2 * threshold - 1);
      if (count >= threshold) count -= small;
      bit += width;
    }
    count--;
    remaining -= Math.abs(count);
    counts[symbol++] = count;
    if (count === 0) {
      for (let repeat = 3; repeat === 3; ) {
        repeat = peek() & 3;
        bit += 2;
        symbol += repeat;
        if (symbol > symbols) throw corrupt('a distribution has too many symbols', start);
      }
    }
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold /= 2;
    }
  }
  const next = start + ((bit + 7) >> 3);
  if (remaining !== 1 || next > end) throw corrupt('a distribution is incomplete', start);
  return { counts, log, end: next };
}

/** @throws CodecError when the counts do not sum up to 2^log; `offset` is that of the counts. */
export function makeStates({ counts, log }: Omit<Distribution, 'end'>, offset: number): States {
  const size = 2 ** log;
  const entries = new Uint32Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    const count = counts[symbol]!;
    next[symbol] = Math.abs(count);
    if (count === -1) entries[--high] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  const mask = size - 1;
  let place = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    for (let count = counts[symbol]!; count > 0; count--) {
      entries[place] = symbol;
      do place = (place + step) & mask;
      while (place >= high);
    }
  }
  if (place !== 0) throw corrupt('a distribution is incomplete', offset);
  for (let state = 0; state < size; state++) {
    const symbol = entries[state]!;
    const following = next[symbol]!++;
    const width = log - (31 - Math.clz32(following));
    entries[state] = symbol | (width << 8) | (((following << width) - size) << 16);
  }
  return { log, entries };
}

/** One state, which always gives the same symbol. */
export function oneState(symbol: number): States {
  return { log: 0, entries: Uint32Array.of(symbol) };
}

import { corrupt } from './corrupt.js';

/** How often each symbol occurs, of 2^log; −1 means less than once. */
export interface Distribution {
  readonly counts: Int16Array;
  readonly log: number;
  /** Where its description ends. */
  readonly end: number;
}

/** A finite state entropy table (RFC 8878, section 4.1): what each state gives, and how to come to the next. */
export interface States {
  readonly log: number;
  readonly symbols: Uint8Array;
  /** The next state is this, plus so many bits of the stream. */
  readonly nextBases: Uint16Array;
  readonly nextBits: Uint8Array;
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
  if (log > maxLog) throw corrupt('accuracy of a distribution', start);
  const counts = new Int16Array(symbols);
  let bit = 4;
  let remaining = 2 ** log + 1;
  let threshold = 2 ** log;
  let width = log + 1;
  let symbol = 0;
  const peek = () => {
    const at = start + (bit >> 3);
    if (at >= end) throw corrupt('distribution is cut', end);
    return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) >> (bit & 7);
  };
  while (remaining > 1) {
    if (symbol >= symbols) throw corrupt('distribution of too many symbols', start);
    const word = peek();
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
    remaining -= Math.abs(count);
    counts[symbol++] = count;
    if (count === 0) {
      for (let repeat = 3; repeat === 3; ) {
        repeat = peek() & 3;
        bit += 2;
        symbol += repeat;
        if (symbol > symbols) throw corrupt('distribution of too many symbols', start);
      }
    }
    while (remaining < threshold && threshold > 1) {
      width--;
      threshold /= 2;
    }
  }
  const next = start + ((bit + 7) >> 3);
  if (remaining !== 1 || next > end) throw corrupt('distribution is not whole', start);
  return { counts, log, end: next };
}

/** @throws CodecError when the counts do not sum up to 2^log; `offset` is where they were read. */
export function makeStates({ counts, log }: Omit<Distribution, 'end'>, offset: number): States {
  const size = 2 ** log;
  const symbols = new Uint8Array(size);
  const nextBases = new Uint16Array(size);
  const nextBits = new Uint8Array(size);
  const next = Uint16Array.from(counts, Math.abs);
  let high = size;
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--high] = symbol;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  const mask = size - 1;
  let place = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    for (let count = counts[symbol]!; count > 0; count--) {
      symbols[place] = symbol;
      do place = (place + step) & mask;
      while (place >= high);
    }
  }
  if (place !== 0) throw corrupt('distribution is not whole', offset);
  for (let state = 0; state < size; state++) {
    const following = next[symbols[state]!]!++;
    const width = log - (31 - Math.clz32(following));
    nextBits[state] = width;
    nextBases[state] = (following << width) - size;
  }
  return { log, symbols, nextBases, nextBits };
}

/** One state that gives the same symbol for ever. */
export function oneState(symbol: number): States {
  return {
    log: 0,
    symbols: Uint8Array.of(symbol),
    nextBases: new Uint16Array(1),
    nextBits: new Uint8Array(1),
  };
}

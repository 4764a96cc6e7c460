// Decodes raw LZ4 blocks: exactly those that `../portable/decode.ts` accepts, which says why things are as they are.
//
// Copies go 16 bytes at a time and may overshoot: behind each buffer the caller leaves SLACK bytes that may be read
// and written. Lengths are checked before, against the true ends.

import { copy } from './copy';

const MIN_MATCH: usize = 4;

/**
 * Decodes the block to exactly `outLength` bytes. `scratch` is the address of 256 bytes.
 * Returns the address of these bytes, or 0 when the block is not valid: they are in `out`, or still in the block if it has
 * nothing but literals, as most blocks of 16-bit weights.
 */
export function decode(block: usize, length: usize, out: usize, outLength: usize, scratch: usize): usize {
  const inEnd = block + length;
  const outEnd = out + outLength;
  let at = block;
  let to = out;
  while (true) {
    if (at >= inEnd) return 0;
    const token: usize = load<u8>(at++);

    let count = token >> 4;
    if (count == 15) {
      let more: usize = 255;
      while (more == 255) {
        if (at >= inEnd) return 0;
        more = load<u8>(at++);
        count += more;
      }
    }
    if (count > inEnd - at || count > outEnd - to) return 0;
    if (to == out) {
      if (count == inEnd - at) return count == outLength ? at : 0;
      writePeriods(scratch);
    }
    copy(to, at, count);
    at += count;
    to += count;
    if (at == inEnd) return to == outEnd ? out : 0;

    if (inEnd - at < 2) return 0;
    const offset: usize = load<u16>(at);
    if (offset == 0 || offset > to - out) return 0;
    at += 2;

    count = token & 15;
    if (count == 15) {
      let more: usize = 255;
      while (more == 255) {
        if (at >= inEnd) return 0;
        more = load<u8>(at++);
        count += more;
      }
    }
    count += MIN_MATCH;
    if (count > outEnd - to) return 0;
    if (offset >= 16) copy(to, to - offset, count);
    else repeat(to, count, offset, scratch);
    to += count;
  }
}

/** Repeats the `period` bytes before `to`, fewer than 16. */
// @ts-ignore: decorator
@inline
function repeat(to: usize, count: usize, period: usize, periods: usize): void {
  const pattern = v128.swizzle(v128.load(to - period), v128.load(periods + (period << 4)));
  v128.store(to, pattern);
  if (count <= 16) {
    // A period above 8 is not whole in a vector twice; 16 bytes of it are right all the same.
    return;
  }
  // Whole periods a step.
  const step = 16 - (16 % period);
  for (let i: usize = step; i < count; i += step) v128.store(to + i, pattern);
}

function writePeriods(scratch: usize): void {
  for (let period: usize = 1; period < 16; period++) {
    let lane: usize = 0;
    for (let i: usize = 0; i < 16; i++) {
      store<u8>(scratch + (period << 4) + i, lane as u8);
      if (++lane == period) lane = 0;
    }
  }
}

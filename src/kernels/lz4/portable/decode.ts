import { CodecError, type ErrorDetails } from '../../../errors.js';

/** A match is at least this long; its length field counts from here. */
const MIN_MATCH = 4;
/** A four-bit length of 15 continues in the following bytes; each 255 announces another one. */
const LENGTH_CONTINUES = 15;
/** From this length on, `copyWithin` and `set` beat a loop over bytes in V8 (their call costs about 50 ns). */
const WIDE_COPY = 48;

/**
 * Decodes one raw LZ4 block (no frame, no size prefix) into exactly `out`. The layout is that of
 * lz4_Block_format.md: sequences of token, literals, offset, match length; the last one has literals only.
 *
 * Every read and write is bounded first. The rules about the last 5 and 12 bytes, which serve the speed of other
 * decoders, are not enforced: files of encoders that break them decode to the right bytes.
 *
 * @throws CodecError with the offset in `block` of what is wrong
 */
export function lz4DecompressInto(block: Uint8Array, out: Uint8Array): void {
  const inEnd = block.length;
  const outEnd = out.length;
  let at = 0;
  let to = 0;
  for (;;) {
    if (at >= inEnd) throw corrupt('it ends without its last literals', { offset: at });
    const token = block[at++]!;

    let length = token >>> 4;
    if (length === LENGTH_CONTINUES) {
      let more = 255;
      while (more === 255) {
        if (at >= inEnd) throw truncated('the length of literals', at);
        more = block[at++]!;
        length += more;
      }
    }
    if (length > inEnd - at) throw truncated('literals', at, length, inEnd - at);
    if (length > outEnd - to) throw overrun(at, outEnd, to + length);
    if (length < WIDE_COPY) {
      for (const end = to + length; to < end; ) out[to++] = block[at++]!;
    } else {
      out.set(block.subarray(at, at + length), to);
      at += length;
      to += length;
    }
    if (at === inEnd) break;

    if (inEnd - at < 2) throw truncated('a match offset', at);
    const offset = block[at]! | (block[at + 1]! << 8);
    if (offset === 0) throw corrupt('a match offset is 0', { offset: at });
    if (offset > to) {
      throw corrupt('a match begins before the start', {
        offset: at,
        expected: `at most ${to}`,
        actual: offset,
      });
    }
    at += 2;

    length = token & 15;
    if (length === LENGTH_CONTINUES) {
      let more = 255;
      while (more === 255) {
        if (at >= inEnd) throw truncated('the length of a match', at);
        more = block[at++]!;
        length += more;
      }
    }
    length += MIN_MATCH;
    if (length > outEnd - to) throw overrun(at, outEnd, to + length);
    const end = to + length;
    if (length < WIDE_COPY) {
      for (let from = to - offset; to < end; ) out[to++] = out[from++]!;
    } else {
      repeat(out, to, end, offset);
      to = end;
    }
  }
  if (to !== outEnd) {
    throw corrupt('it decodes to too few bytes', { offset: at, expected: outEnd, actual: to });
  }
}

/** Fills `out` from `start` to `end` with the `period` bytes before `start`, over and over. */
function repeat(out: Uint8Array, start: number, end: number, period: number): void {
  if (period === 1) {
    out.fill(out[start - 1]!, start, end);
    return;
  }
  // The written part doubles with each step, and copies of whole periods continue the pattern.
  const from = start - period;
  for (let to = start; to < end; ) {
    const step = Math.min(to - from, end - to);
    out.copyWithin(to, from, from + step);
    to += step;
  }
}

function truncated(what: string, offset: number, expected?: number, actual?: number): CodecError {
  return corrupt(`it ends within ${what}`, { offset, expected, actual });
}

function overrun(offset: number, expected: number, actual: number): CodecError {
  return corrupt('it decodes to too many bytes', { offset, expected, actual });
}

function corrupt(reason: string, details: ErrorDetails): CodecError {
  return new CodecError(`Cannot decode the LZ4 block: ${reason}`, details);
}

// Raw LZ4 blocks. `decode` accepts exactly what `../portable/decode.ts` accepts, `encode` writes the same
// bytes as `../portable/encode.ts`; both say why things are as they are.
//
// Copies go 16 bytes at a time and may overshoot: behind each buffer the caller leaves SLACK bytes that may be read
// and written. Lengths are checked before, against the true ends.

/** From this length on, memory.copy is faster than a loop. */
const WIDE: usize = 512;
const MIN_MATCH: usize = 4;

/**
 * Decodes the block to exactly `outLength` bytes. `scratch` is the address of 256 bytes.
 * Returns 1, or 0 when the block is not valid.
 */
export function decode(block: usize, length: usize, out: usize, outLength: usize, scratch: usize): u32 {
  writePeriods(scratch);
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
    copy(to, at, count);
    at += count;
    to += count;
    if (at == inEnd) return to == outEnd ? 1 : 0;

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

/** Copies forwards; `from` is before `to` by 16 or more, or elsewhere. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, count: usize): void {
  v128.store(to, v128.load(from));
  if (count <= 16) return;
  v128.store(to, v128.load(from, 16), 16);
  if (count <= 32) return;
  copyMore(to, from, count);
}

function copyMore(to: usize, from: usize, count: usize): void {
  // memory.copy does not repeat what it has just written.
  if (count >= WIDE && (to < from || to - from >= count)) {
    memory.copy(to, from, count);
    return;
  }
  for (let i: usize = 32; i < count; i += 16) v128.store(to + i, v128.load(from + i));
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

const LAST_LITERALS: usize = 5;
const MATCH_LIMIT: usize = 12;
const MAX_OFFSET: usize = 65535;
const HASH_BITS: u32 = 12;
const HASH_PRIME: u32 = 2654435761;
const SKIP_TRIGGER: u32 = 6;

/**
 * Compresses to `out`, which has room for the bound of `length` and the slack; returns the size.
 * `table` is the address of 16 KiB.
 */
export function encode(data: usize, length: usize, out: usize, table: usize): usize {
  memory.fill(table, 0, 4 << HASH_BITS);
  let anchor = data;
  let to = out;
  if (length > MATCH_LIMIT) {
    const matchEnd = data + length - LAST_LITERALS;
    const searchEnd = data + length - MATCH_LIMIT;
    let at = data;
    let tries: u32 = 1 << SKIP_TRIGGER;
    while (at <= searchEnd) {
      const word = load<u32>(at);
      const slot = table + (((word * HASH_PRIME) >> (32 - HASH_BITS)) << 2);
      let from: usize = load<u32>(slot);
      store<u32>(slot, at);
      // One branch that is nearly always taken in noise, in place of three that cannot be foretold; an empty slot
      // reads address 0, which the memory has.
      if (u32(from == 0) | u32(at - from > MAX_OFFSET) | u32(load<u32>(from) != word)) {
        at += tries++ >> SKIP_TRIGGER;
        continue;
      }
      tries = 1 << SKIP_TRIGGER;
      while (at > anchor && from > data && load<u8>(at - 1) == load<u8>(from - 1)) {
        at--;
        from--;
      }
      const offset = at - from;
      const start = at;
      at = matchUntil(at + MIN_MATCH, offset, matchEnd);

      const token = to++;
      const literals = start - anchor;
      to = writeLength(to, literals);
      copy(to, anchor, literals);
      to += literals;
      store<u16>(to, offset as u16);
      to += 2;
      const extra = at - start - MIN_MATCH;
      store<u8>(token, ((min<usize>(literals, 15) << 4) | min<usize>(extra, 15)) as u8);
      to = writeLength(to, extra);
      anchor = at;
    }
  }
  const literals = data + length - anchor;
  store<u8>(to, (min<usize>(literals, 15) << 4) as u8);
  to = writeLength(to + 1, literals);
  copy(to, anchor, literals);
  return to + literals - out;
}

/** The first place from `at` on, up to `end`, that differs from what is `offset` bytes before it. */
// @ts-ignore: decorator
@inline
function matchUntil(at: usize, offset: usize, end: usize): usize {
  while (at + 8 <= end) {
    const difference = load<u64>(at) ^ load<u64>(at - offset);
    if (difference != 0) return at + ((ctz<u64>(difference) >> 3) as usize);
    at += 8;
  }
  while (at < end && load<u8>(at) == load<u8>(at - offset)) at++;
  return at;
}

/** What four bits of a length leave over. */
// @ts-ignore: decorator
@inline
function writeLength(to: usize, length: usize): usize {
  if (length < 15) return to;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) store<u8>(to++, 255);
  store<u8>(to++, rest as u8);
  return to;
}

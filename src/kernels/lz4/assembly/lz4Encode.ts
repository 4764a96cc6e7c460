// Writes raw LZ4 blocks: the same bytes as `../portable/encode.ts`, which says why things are as they are. Copies
// overshoot as those of `lz4.ts`.

import { copy } from './copy';

const MIN_MATCH: usize = 4;
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

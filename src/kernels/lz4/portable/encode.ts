import { LimitError } from '../../../errors.js';

/** The block format's limit for one block (LZ4_MAX_INPUT_SIZE in lz4.h). */
const LZ4_MAX_INPUT = 0x7e000000;

const MIN_MATCH = 4;
/** End-of-block rules: the last 5 bytes are literals, and the last match starts 12 bytes before the end or earlier. */
const LAST_LITERALS = 5;
const MATCH_LIMIT = 12;
const MAX_OFFSET = 65535;
/** 4096 entries of 4 bytes fit the first-level cache; more raise the ratio by less than 1 % on weights. */
const HASH_BITS = 12;
/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const HASH_PRIME = 2654435761 | 0;
/**
 * After 2^6 positions without a match the search steps by 2, after twice as many by 3, so that noise passes quickly.
 */
const SKIP_TRIGGER = 6;

/**
 * Last position of each hash, counted from the first byte ever compressed. Entries of earlier calls are before `base`,
 * and therefore known to be stale, so the table is not cleared for every block.
 */
const table = new Int32Array(1 << HASH_BITS);
let base = 1;

/**
 * Blocks of usual sizes are written here first, because allocating their bound each time costs as much as compressing.
 */
const RETAINED = lz4CompressBound(65536);
let retained: Uint8Array | undefined;

function outputFor(length: number): Uint8Array {
  const bound = lz4CompressBound(length);
  if (bound > RETAINED) return new Uint8Array(bound);
  retained ??= new Uint8Array(RETAINED);
  return retained;
}

/** The largest block of `length` bytes: one length byte per 255 literals, and a token. */
export function lz4CompressBound(length: number): number {
  return length + Math.ceil(length / 255) + 16;
}

/** @throws LimitError when `data` is longer than the format allows */
export function checkLz4Input(data: Uint8Array): void {
  if (data.length <= LZ4_MAX_INPUT) return;
  throw new LimitError('Cannot compress into one LZ4 block: too many bytes', {
    expected: `at most ${LZ4_MAX_INPUT}`,
    actual: data.length,
  });
}

/**
 * One raw LZ4 block (lz4_Block_format.md), found greedily with a hash table of one entry per hash.
 *
 * @throws LimitError when `data` is longer than the format allows
 */
export function lz4Compress(data: Uint8Array): Uint8Array {
  const length = data.length;
  checkLz4Input(data);
  const out = outputFor(length);
  if (base + length > 0x7fffffff) {
    table.fill(0);
    base = 1;
  }
  const origin = base;
  base += length;

  const matchEnd = length - LAST_LITERALS;
  const searchEnd = length - MATCH_LIMIT;
  let anchor = 0;
  let to = 0;
  let at = 0;
  let tries = 1 << SKIP_TRIGGER;
  while (at <= searchEnd) {
    const word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    const slot = Math.imul(word, HASH_PRIME) >>> (32 - HASH_BITS);
    let from = table[slot]! - origin;
    table[slot] = at + origin;
    if (
      from < 0 ||
      at - from > MAX_OFFSET ||
      (data[from]! | (data[from + 1]! << 8) | (data[from + 2]! << 16) | (data[from + 3]! << 24)) !== word
    ) {
      at += tries++ >>> SKIP_TRIGGER;
      continue;
    }
    tries = 1 << SKIP_TRIGGER;
    while (at > anchor && from > 0 && data[at - 1] === data[from - 1]) {
      at--;
      from--;
    }
    const offset = at - from;
    const start = at;
    at += MIN_MATCH;
    while (at < matchEnd && data[at] === data[at - offset]) at++;

    const token = to++;
    to = writeLiterals(data, anchor, start, out, token, to);
    out[to++] = offset & 255;
    out[to++] = offset >>> 8;
    const extra = at - start - MIN_MATCH;
    out[token]! |= Math.min(extra, 15);
    to = writeLength(out, to, extra);
    anchor = at;
  }
  to = writeLiterals(data, anchor, length, out, to, to + 1);
  return out.slice(0, to);
}

/** Writes the upper half of the token, the rest of the length, and the literals; returns where they end. */
function writeLiterals(
  data: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  token: number,
  to: number,
): number {
  const length = end - start;
  out[token] = Math.min(length, 15) << 4;
  let next = writeLength(out, to, length);
  if (length < 32) {
    for (let i = start; i < end; i++) out[next++] = data[i]!;
    return next;
  }
  out.set(data.subarray(start, end), next);
  return next + length;
}

/** Writes the part of a length that exceeds its four bits. */
function writeLength(out: Uint8Array, to: number, length: number): number {
  if (length < 15) return to;
  let next = to;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) out[next++] = 255;
  out[next++] = rest;
  return next;
}

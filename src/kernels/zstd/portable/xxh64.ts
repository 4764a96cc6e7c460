/** XXH64 with seed 0, after doc/xxhash_spec.md of the xxHash repository. Zstandard frames end with its low half. */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const MASK64 = 0xffff_ffff_ffff_ffffn;
const STRIPE = 32;
const TWO_32 = 2 ** 32;

// The halves of the two primes of the inner loop.
const P1_LOW = 0x85ebca87;
const P1_HIGH = 0x9e3779b1;
const P2_LOW = 0x27d4eb4f;
const P2_HIGH = 0xc2b2ae3d;

export function xxh64(bytes: Uint8Array): bigint {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength;
  const stripesEnd = length - (length % STRIPE);
  let hash = (length < STRIPE ? PRIME_5 : hashStripes(data, stripesEnd)) + BigInt(length);
  let at = stripesEnd;
  for (; at + 8 <= length; at += 8) {
    hash ^= round(0n, data.getBigUint64(at, true));
    hash = rotateLeft(hash & MASK64, 27n) * PRIME_1 + PRIME_4;
  }
  if (at + 4 <= length) {
    hash ^= BigInt(data.getUint32(at, true)) * PRIME_1;
    hash = rotateLeft(hash & MASK64, 23n) * PRIME_2 + PRIME_3;
    at += 4;
  }
  for (; at < length; at++) {
    hash ^= BigInt(data.getUint8(at)) * PRIME_5;
    hash = rotateLeft(hash & MASK64, 11n) * PRIME_1;
  }
  hash &= MASK64;
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK64;
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK64;
  return hash ^ (hash >> 32n);
}

function hashStripes(data: DataView, end: number): bigint {
  const lanes = new BigUint64Array([PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1]);
  const words = new Int32Array(lanes.buffer);
  for (let lane = 0; lane < 4; lane++) absorb(data, 8 * lane, end, words.subarray(2 * lane, 2 * lane + 2));
  const [a, b, c, d] = lanes as unknown as [bigint, bigint, bigint, bigint];
  let hash = rotateLeft(a, 1n) + rotateLeft(b, 7n) + rotateLeft(c, 12n) + rotateLeft(d, 18n);
  for (const lane of lanes) hash = (((hash ^ round(0n, lane)) & MASK64) * PRIME_1 + PRIME_4) & MASK64;
  return hash;
}

/** One accumulator over all stripes, in 32-bit halves: `round` below without BigInt. */
function absorb(data: DataView, start: number, end: number, lane: Int32Array): void {
  let low = lane[0]!;
  let high = lane[1]!;
  for (let at = start; at < end; at += STRIPE) {
    const wordLow = data.getInt32(at, true);
    const wordHigh = data.getInt32(at + 4, true);
    const sum = (low >>> 0) + (Math.imul(wordLow, P2_LOW) >>> 0);
    const sumHigh =
      (high +
        highProduct(wordLow >>> 0, P2_LOW) +
        Math.imul(wordLow, P2_HIGH) +
        Math.imul(wordHigh, P2_LOW) +
        (sum >= TWO_32 ? 1 : 0)) |
      0;
    const turnedLow = (sum << 31) | (sumHigh >>> 1);
    const turnedHigh = (sumHigh << 31) | ((sum | 0) >>> 1);
    low = Math.imul(turnedLow, P1_LOW);
    high =
      (highProduct(turnedLow >>> 0, P1_LOW) + Math.imul(turnedLow, P1_HIGH) + Math.imul(turnedHigh, P1_LOW)) |
      0;
  }
  lane[0] = low;
  lane[1] = high;
}

/**
 * High half of the product of two 32-bit numbers. As a double, the product is off by at most 2^10. Minus its low
 * half, it is a multiple of 2^32, which rounding finds.
 */
function highProduct(a: number, b: number): number {
  return Math.round((a * b - (Math.imul(a, b) >>> 0)) / TWO_32);
}

function round(lane: bigint, word: bigint): bigint {
  return (rotateLeft((lane + word * PRIME_2) & MASK64, 31n) * PRIME_1) & MASK64;
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK64;
}

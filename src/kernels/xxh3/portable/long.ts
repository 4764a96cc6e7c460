import type { Steps } from '../../../async/steps.js';
import {
  avalanche,
  foldedProduct,
  PRIME32_1,
  PRIME32_2,
  PRIME32_3,
  PRIME64_1,
  PRIME64_2,
  PRIME64_3,
  PRIME64_4,
  PRIME64_5,
  SECRET,
} from './parts.js';

export const STRIPE = 64;
const STRIPES_PER_BLOCK = 16;
export const BLOCK: number = STRIPE * STRIPES_PER_BLOCK;
/** Blocks that are hashed in a step: a millisecond or two. */
const STEP_BLOCKS = 4096;
const TWO_32 = 2 ** 32;
/** Offsets in the secret for scrambling, the last stripe, and merging. */
const SCRAMBLE_AT = 128;
const LAST_STRIPE_AT = 121;
const MERGE_AT = 11;

const SECRET_WORDS = wordsFrom(0, 48);
const LAST_STRIPE_WORDS = wordsFrom(LAST_STRIPE_AT, 16);
/** The eight 64-bit accumulators as pairs of words, low half first. */
const accumulators = new Int32Array(16);
const accumulatorView = new DataView(accumulators.buffer);

/** The accumulators before the first block. */
export const START: Int32Array = Int32Array.from(
  [
    BigInt(PRIME32_3),
    PRIME64_1,
    PRIME64_2,
    PRIME64_3,
    PRIME64_4,
    BigInt(PRIME32_2),
    PRIME64_5,
    BigInt(PRIME32_1),
  ].flatMap((value) => [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]),
);

function wordsFrom(at: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => SECRET.getInt32(at + 4 * i, true));
}

/** XXH3-64 of more than 240 bytes, in steps. */
export function* hashingLong(data: DataView): Steps<bigint> {
  const state = new Int32Array(START);
  const blocks = Math.floor((data.byteLength - 1) / BLOCK);
  for (let first = 0; first < blocks; first += STEP_BLOCKS) {
    if (first > 0) yield;
    takeBlocks(data, first * BLOCK, Math.min(STEP_BLOCKS, blocks - first), state);
  }
  return takeRest(data, blocks * BLOCK, data.byteLength, state);
}

/**
 * Takes whole blocks. More bytes must follow them.
 * @param state the accumulators, which are updated
 */
export function takeBlocks(data: DataView, start: number, count: number, state: Int32Array): void {
  accumulators.set(state);
  addBlocks(data, start, count);
  state.set(accumulators);
}

/**
 * The hash, from what is left at the end of the data: 1 to 1024 bytes.
 * @param start of these; the 64 bytes before the end must be in the data
 * @param length of all
 */
export function takeRest(data: DataView, start: number, length: number, state: Int32Array): bigint {
  accumulators.set(state);
  return finish(data, start, length);
}

function addBlocks(data: DataView, start: number, count: number): void {
  for (let block = 0; block < count; block++) {
    accumulate(data, start + block * BLOCK, STRIPES_PER_BLOCK, SECRET_WORDS);
    scramble();
  }
}

function finish(data: DataView, rest: number, length: number): bigint {
  const end = data.byteLength;
  accumulate(data, rest, Math.floor((end - 1 - rest) / STRIPE), SECRET_WORDS);
  accumulate(data, end - STRIPE, 1, LAST_STRIPE_WORDS);
  let sum = BigInt(length) * PRIME64_1;
  for (let i = 0; i < 4; i++) {
    sum += foldedProduct(
      lane(2 * i) ^ SECRET.getBigUint64(MERGE_AT + 16 * i, true),
      lane(2 * i + 1) ^ SECRET.getBigUint64(MERGE_AT + 16 * i + 8, true),
    );
  }
  return avalanche(sum);
}

function lane(index: number): bigint {
  return accumulatorView.getBigUint64(8 * index, true);
}

/**
 * Adds stripes to the accumulators: each 64-bit lane gets the product of the halves of (data ^ secret), and its
 * neighbour the data.
 *
 * A double cannot hold a 64-bit product exactly, but closely enough: the low word L of a sum is exact by 32-bit
 * arithmetic, the sum S as a double is off by less than 2^21 (32 terms below 2^64), and S − L is a multiple of 2^32.
 * Rounding (S − L) / 2^32 therefore gives the exact high word, once for all stripes.
 */
function accumulate(data: DataView, start: number, stripes: number, secret: Int32Array): void {
  for (let pair = 0; pair < 4; pair++) {
    let low0 = 0;
    let low1 = 0;
    let high0 = 0;
    let high1 = 0;
    let sum0 = 0;
    let sum1 = 0;
    let at = start + 16 * pair;
    let key = 4 * pair;
    for (let stripe = 0; stripe < stripes; stripe++) {
      const word0 = data.getInt32(at, true);
      const word1 = data.getInt32(at + 4, true);
      const word2 = data.getInt32(at + 8, true);
      const word3 = data.getInt32(at + 12, true);
      const mixed0 = word0 ^ secret[key]!;
      const mixed1 = word1 ^ secret[key + 1]!;
      const mixed2 = word2 ^ secret[key + 2]!;
      const mixed3 = word3 ^ secret[key + 3]!;
      low0 = (low0 + Math.imul(mixed0, mixed1) + word2) | 0;
      low1 = (low1 + Math.imul(mixed2, mixed3) + word0) | 0;
      high0 = (high0 + word3) | 0;
      high1 = (high1 + word1) | 0;
      sum0 += (mixed0 >>> 0) * (mixed1 >>> 0) + (word2 >>> 0);
      sum1 += (mixed2 >>> 0) * (mixed3 >>> 0) + (word0 >>> 0);
      at += STRIPE;
      key += 2;
    }
    add(4 * pair, low0 >>> 0, high0 + Math.round((sum0 - (low0 >>> 0)) / TWO_32));
    add(4 * pair + 2, low1 >>> 0, high1 + Math.round((sum1 - (low1 >>> 0)) / TWO_32));
  }
}

/** Adds low + high × 2^32 to the accumulator whose low word is at `index`; `high` counts modulo 2^32. */
function add(index: number, low: number, high: number): void {
  const sum = (accumulators[index]! >>> 0) + low;
  accumulators[index] = sum | 0;
  accumulators[index + 1] = (accumulators[index + 1]! + high + (sum >= TWO_32 ? 1 : 0)) | 0;
}

function scramble(): void {
  for (let index = 0; index < 16; index += 2) {
    const high = accumulators[index + 1]! ^ SECRET_WORDS[SCRAMBLE_AT / 4 + index + 1]!;
    // acc ^= acc >> 47 changes only the low word.
    const low =
      (accumulators[index]! ^ (accumulators[index + 1]! >>> 15) ^ SECRET_WORDS[SCRAMBLE_AT / 4 + index]!) >>>
      0;
    const productLow = Math.imul(low, PRIME32_1) >>> 0;
    const carried = Math.round((low * PRIME32_1 - productLow) / TWO_32);
    accumulators[index] = productLow | 0;
    accumulators[index + 1] = (Math.imul(high, PRIME32_1) + carried) | 0;
  }
}

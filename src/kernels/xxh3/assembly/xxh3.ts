// XXH3-64 with seed 0 as `../portable.ts` computes it, two 64-bit lanes a vector.
//
// `state` is the address of 256 bytes that are the kernel's own between `begin` and `end`: eight accumulators, then
// the secret, which stands there because kernels have no static data.

import { ACCUMULATORS, avalanche, foldedProduct, PRIME64_1, SECRET, writeState } from './parts';
import { hashShort } from './short';

const STRIPE: usize = 64;
const STRIPES_PER_BLOCK: usize = 16;
const BLOCK: usize = 1024;
const SCRAMBLE_AT: usize = 128;
const LAST_STRIPE_AT: usize = 121;
const MERGE_AT: usize = 11;
const PRIME32_1: u32 = 0x9e3779b1;

/** The hash of bytes that are in the memory as a whole. */
export function xxh3(from: usize, length: usize, state: usize): u64 {
  begin(state);
  if (length <= 240) return hashShort(from, length, state + SECRET);
  const count = (length - 1) / BLOCK;
  blocks(from, count, state);
  return end(from + count * BLOCK, length - count * BLOCK, length, state);
}

export function begin(state: usize): void {
  writeState(state);
}

/** Takes `count` whole blocks of 1024 bytes. More bytes must follow them. */
export function blocks(from: usize, count: usize, state: usize): void {
  const secret = state + SECRET;
  let a0 = v128.load(state, 0);
  let a1 = v128.load(state, 16);
  let a2 = v128.load(state, 32);
  let a3 = v128.load(state, 48);
  const prime = i32x4.splat(PRIME32_1);
  const end = from + count * BLOCK;
  while (from < end) {
    const blockEnd = from + BLOCK;
    for (let key = secret; from < blockEnd; from += STRIPE, key += 8) {
      const d0 = v128.load(from, 0);
      const d1 = v128.load(from, 16);
      const d2 = v128.load(from, 32);
      const d3 = v128.load(from, 48);
      a0 = i64x2.add(a0, neighbours(d0));
      a1 = i64x2.add(a1, neighbours(d1));
      a2 = i64x2.add(a2, neighbours(d2));
      a3 = i64x2.add(a3, neighbours(d3));
      a0 = i64x2.add(a0, halvesProduct(v128.xor(d0, v128.load(key, 0))));
      a1 = i64x2.add(a1, halvesProduct(v128.xor(d1, v128.load(key, 16))));
      a2 = i64x2.add(a2, halvesProduct(v128.xor(d2, v128.load(key, 32))));
      a3 = i64x2.add(a3, halvesProduct(v128.xor(d3, v128.load(key, 48))));
    }
    a0 = scramble(a0, v128.load(secret, SCRAMBLE_AT), prime);
    a1 = scramble(a1, v128.load(secret, SCRAMBLE_AT + 16), prime);
    a2 = scramble(a2, v128.load(secret, SCRAMBLE_AT + 32), prime);
    a3 = scramble(a3, v128.load(secret, SCRAMBLE_AT + 48), prime);
  }
  v128.store(state, a0, 0);
  v128.store(state, a1, 16);
  v128.store(state, a2, 32);
  v128.store(state, a3, 48);
}

/** Takes what is left, `rest` bytes; the 64 bytes before their end must be in the memory. */
export function end(from: usize, rest: usize, length: usize, state: usize): u64 {
  const secret = state + SECRET;
  const last = from + rest - STRIPE;
  const stripes = (rest - 1) / STRIPE;
  for (let i: usize = 0; i < stripes; i++) addStripe(from + i * STRIPE, secret + 8 * i, state);
  addStripe(last, secret + LAST_STRIPE_AT, state);

  let sum = (length as u64) * PRIME64_1;
  for (let i: usize = 0; i < ACCUMULATORS; i += 16) {
    sum += foldedProduct(
      load<u64>(state + i) ^ load<u64>(secret + MERGE_AT + i),
      load<u64>(state + i, 8) ^ load<u64>(secret + MERGE_AT + i, 8),
    );
  }
  return avalanche(sum);
}

function addStripe(from: usize, key: usize, state: usize): void {
  for (let i: usize = 0; i < ACCUMULATORS; i += 16) {
    const data = v128.load(from + i);
    const product = halvesProduct(v128.xor(data, v128.load(key + i)));
    v128.store(state + i, i64x2.add(i64x2.add(v128.load(state + i), neighbours(data)), product));
  }
}

// @ts-ignore: decorator
@inline
function neighbours(data: v128): v128 {
  return v128.shuffle<u64>(data, data, 1, 0);
}

/** Low half × high half of each 64-bit lane. */
// @ts-ignore: decorator
@inline
function halvesProduct(key: v128): v128 {
  return i64x2.extmul_low_i32x4_u(
    v128.shuffle<u32>(key, key, 0, 2, 0, 2),
    v128.shuffle<u32>(key, key, 1, 3, 1, 3),
  );
}

// @ts-ignore: decorator
@inline
function scramble(acc: v128, key: v128, prime: v128): v128 {
  const mixed = v128.xor(v128.xor(acc, i64x2.shr_u(acc, 47)), key);
  // 64 × 32 bits: the high half's product counts only where it does not overflow.
  const low = i64x2.extmul_low_i32x4_u(v128.shuffle<u32>(mixed, mixed, 0, 2, 0, 2), prime);
  const high = i64x2.extmul_low_i32x4_u(v128.shuffle<u32>(mixed, mixed, 1, 3, 1, 3), prime);
  return i64x2.add(low, i64x2.shl(high, 32));
}

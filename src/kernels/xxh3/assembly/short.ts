// XXH3-64 of at most 240 bytes.

import { avalanche, foldedProduct, PRIME64_1, PRIME64_2, PRIME64_3 } from './parts';

const PRIME_MX2: u64 = 0x9fb21c651e98df25;

export function hashShort(from: usize, length: usize, secret: usize): u64 {
  if (length > 128) return hash129to240(from, length, secret);
  if (length > 16) return hash17to128(from, length, secret);
  if (length > 8) return hash9to16(from, length, secret);
  if (length > 3) return hash4to8(from, length, secret);
  if (length > 0) return hash1to3(from, length, secret);
  return avalanche64(load<u64>(secret, 56) ^ load<u64>(secret, 64));
}

function hash1to3(from: usize, length: usize, secret: usize): u64 {
  const combined =
    ((load<u8>(from) as u32) << 16) |
    ((load<u8>(from + (length >> 1)) as u32) << 24) |
    (load<u8>(from + length - 1) as u32) |
    ((length as u32) << 8);
  return avalanche64((combined ^ load<u32>(secret) ^ load<u32>(secret, 4)) as u64);
}

function hash4to8(from: usize, length: usize, secret: usize): u64 {
  const first = load<u32>(from) as u64;
  const last = load<u32>(from + length - 4) as u64;
  let hash = (last | (first << 32)) ^ load<u64>(secret, 8) ^ load<u64>(secret, 16);
  hash ^= rotl<u64>(hash, 49) ^ rotl<u64>(hash, 24);
  hash *= PRIME_MX2;
  hash ^= (hash >> 35) + (length as u64);
  hash *= PRIME_MX2;
  return hash ^ (hash >> 28);
}

function hash9to16(from: usize, length: usize, secret: usize): u64 {
  const low = load<u64>(from) ^ load<u64>(secret, 24) ^ load<u64>(secret, 32);
  const high = load<u64>(from + length - 8) ^ load<u64>(secret, 40) ^ load<u64>(secret, 48);
  return avalanche((length as u64) + bswap<u64>(low) + high + foldedProduct(low, high));
}

function hash17to128(from: usize, length: usize, secret: usize): u64 {
  let sum = (length as u64) * PRIME64_1;
  // Pairs of 16 bytes from both ends inwards; they may overlap in the middle.
  for (let pair: usize = 0; pair <= (length - 1) >> 5; pair++) {
    sum += mix16(from + 16 * pair, secret + 32 * pair);
    sum += mix16(from + length - 16 * (pair + 1), secret + 32 * pair + 16);
  }
  return avalanche(sum);
}

function hash129to240(from: usize, length: usize, secret: usize): u64 {
  const rounds = length >> 4;
  let sum = (length as u64) * PRIME64_1;
  for (let i: usize = 0; i < 8; i++) sum += mix16(from + 16 * i, secret + 16 * i);
  sum = avalanche(sum);
  for (let i: usize = 8; i < rounds; i++) sum += mix16(from + 16 * i, secret + 16 * (i - 8) + 3);
  return avalanche(sum + mix16(from + length - 16, secret + 136 - 17));
}

function mix16(from: usize, secret: usize): u64 {
  return foldedProduct(load<u64>(from) ^ load<u64>(secret), load<u64>(from, 8) ^ load<u64>(secret, 8));
}

/** The final mix of XXH64, which XXH3 keeps for its shortest inputs. */
function avalanche64(value: u64): u64 {
  let hash = value ^ (value >> 33);
  hash *= PRIME64_2;
  hash ^= hash >> 29;
  hash *= PRIME64_3;
  return hash ^ (hash >> 32);
}

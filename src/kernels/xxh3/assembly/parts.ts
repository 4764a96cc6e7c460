// What the short and the long form of XXH3-64 share. Names and constants are those of xxhash.h.

/** Bytes of the state that are accumulators; the secret follows. */
export const ACCUMULATORS: usize = 64;
export const SECRET: usize = ACCUMULATORS;

export const PRIME64_1: u64 = 0x9e3779b185ebca87;
export const PRIME64_2: u64 = 0xc2b2ae3d27d4eb4f;
export const PRIME64_3: u64 = 0x165667b19e3779f9;
const PRIME_MX1: u64 = 0x165667919e3779f9;

/** The accumulators' first values (three 32-bit and five 64-bit primes), then the default secret of 192 bytes. */
export function writeState(state: usize): void {
  store<u64>(state, 0xc2b2ae3d);
  store<u64>(state, PRIME64_1, 8);
  store<u64>(state, PRIME64_2, 16);
  store<u64>(state, PRIME64_3, 24);
  store<u64>(state, 0x85ebca77c2b2ae63, 32);
  store<u64>(state, 0x85ebca77, 40);
  store<u64>(state, 0x27d4eb2f165667c5, 48);
  store<u64>(state, 0x9e3779b1, 56);
  store<u64>(state, 0xbe4ba423396cfeb8, 64);
  store<u64>(state, 0x1cad21f72c81017c, 72);
  store<u64>(state, 0xdb979083e96dd4de, 80);
  store<u64>(state, 0x1f67b3b7a4a44072, 88);
  store<u64>(state, 0x78e5c0cc4ee679cb, 96);
  store<u64>(state, 0x2172ffcc7dd05a82, 104);
  store<u64>(state, 0x8e2443f7744608b8, 112);
  store<u64>(state, 0x4c263a81e69035e0, 120);
  store<u64>(state, 0xcb00c391bb52283c, 128);
  store<u64>(state, 0xa32e531b8b65d088, 136);
  store<u64>(state, 0x4ef90da297486471, 144);
  store<u64>(state, 0xd8acdea946ef1938, 152);
  store<u64>(state, 0x3f349ce33f76faa8, 160);
  store<u64>(state, 0x1d4f0bc7c7bbdcf9, 168);
  store<u64>(state, 0x3159b4cd4be0518a, 176);
  store<u64>(state, 0x647378d9c97e9fc8, 184);
  store<u64>(state, 0xc3ebd33483acc5ea, 192);
  store<u64>(state, 0xeb6313faffa081c5, 200);
  store<u64>(state, 0x49daf0b751dd0d17, 208);
  store<u64>(state, 0x9e68d429265516d3, 216);
  store<u64>(state, 0xfca1477d58be162b, 224);
  store<u64>(state, 0xce31d07ad1b8f88f, 232);
  store<u64>(state, 0x280416958f3acb45, 240);
  store<u64>(state, 0x7e404bbbcafbd7af, 248);
}

/** Product of two 64-bit numbers, its halves xored. */
export function foldedProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = (middle & 0xffffffff) + aLow * bHigh;
  return (a * b) ^ (aHigh * bHigh + (middle >> 32) + (other >> 32));
}

export function avalanche(value: u64): u64 {
  let hash = value ^ (value >> 37);
  hash *= PRIME_MX1;
  return hash ^ (hash >> 32);
}

// XXH64 with seed 0, after doc/xxhash_spec.md of the xxHash repository. Zstandard frames end with its low half.

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;
const STRIPE: usize = 32;

/** The low half of the hash of these bytes. */
export function checksum(from: usize, length: usize): u32 {
  const end = from + length;
  let hash = PRIME_5;
  if (length >= STRIPE) {
    let a = PRIME_1 + PRIME_2;
    let b = PRIME_2;
    let c: u64 = 0;
    let d: u64 = 0 - PRIME_1;
    for (; end - from >= STRIPE; from += STRIPE) {
      a = round(a, load<u64>(from));
      b = round(b, load<u64>(from, 8));
      c = round(c, load<u64>(from, 16));
      d = round(d, load<u64>(from, 24));
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += length as u64;
  for (; end - from >= 8; from += 8) hash = rotl(hash ^ round(0, load<u64>(from)), 27) * PRIME_1 + PRIME_4;
  if (end - from >= 4) {
    hash = rotl(hash ^ ((load<u32>(from) as u64) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    from += 4;
  }
  for (; from < end; from++) hash = rotl(hash ^ ((load<u8>(from) as u64) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return (hash ^ (hash >> 32)) as u32;
}

function round(lane: u64, word: u64): u64 {
  return rotl(lane + word * PRIME_2, 31) * PRIME_1;
}

function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
}

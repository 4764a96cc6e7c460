const DIGIT_BITS = 16;
const BUCKETS = 1 << DIGIT_BITS;

/** Indices by magnitude, largest first; of equal ones the lower index first. A radix sort: O(n). */
export function rankByMagnitude(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // Without the sign, the bits of floats are ordered like their magnitudes; inverted, the largest comes first.
  const keys = bits.map((pattern) => ~pattern & 0x7fffffff);
  const byLowDigit = sortByDigit(keys, undefined, 0);
  return sortByDigit(keys, byLowDigit, DIGIT_BITS);
}

/** One stable pass; `order` undefined: the identity. */
function sortByDigit(keys: Uint32Array, order: Uint32Array | undefined, shift: number): Uint32Array {
  const next = new Uint32Array(BUCKETS + 1);
  for (const key of keys) next[((key >>> shift) & (BUCKETS - 1)) + 1]! += 1;
  for (let bucket = 0; bucket < BUCKETS; bucket++) next[bucket + 1]! += next[bucket]!;
  const sorted = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const index = order === undefined ? i : order[i]!;
    const bucket = (keys[index]! >>> shift) & (BUCKETS - 1);
    const place = next[bucket]!;
    sorted[place] = index;
    next[bucket] = place + 1;
  }
  return sorted;
}

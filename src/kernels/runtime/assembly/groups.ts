// Groups of 64 weights; the last of a tile may have fewer.

/** A bit for each weight that a group has. */
// @ts-ignore: decorator
@inline
export function weightsOf(group: u32, weights: u32): u64 {
  const left = weights - (group << 6);
  return left < 64 ? ((<u64>1) << left) - 1 : ~(<u64>0);
}

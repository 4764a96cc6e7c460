// Bit streams.

/** The next bits of a stream, at least 57 of them valid. */
// @ts-ignore: decorator
@inline
export function peek(stream: usize, position: usize): u64 {
  return load<u64>(stream + (position >> 3)) >> (position & 7);
}

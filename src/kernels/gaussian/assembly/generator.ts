// The format's xorshift64 and its powers. One step is a linear map of the 64 bits of the state over GF(2); a map is
// stored as 64 columns of u64, the images of the single bits.

const BITS: usize = 64;
const MATRIX_BYTES: usize = 8 * BITS;

function step(state: u64): u64 {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^ (state << 17);
}

/** A step of two generators. */
// @ts-ignore: decorator
@inline
export function stepBoth(states: v128): v128 {
  states = v128.xor(states, i64x2.shl(states, 13));
  states = v128.xor(states, i64x2.shr_u(states, 7));
  return v128.xor(states, i64x2.shl(states, 17));
}

/** Matrix times state. */
export function apply(matrix: usize, state: u64): u64 {
  let image: u64 = 0;
  for (let bit: usize = 0; bit < BITS; bit++) {
    image ^= load<u64>(matrix + 8 * bit) & (0 - ((state >> bit) & 1));
  }
  return image;
}

/** The matrix of `steps` steps, by repeated squaring. */
export function power(steps: u32, matrix: usize, scratch: usize): void {
  const square = scratch;
  const next = scratch + MATRIX_BYTES;
  for (let bit: usize = 0; bit < BITS; bit++) {
    store<u64>(matrix + 8 * bit, (1 as u64) << bit);
    store<u64>(square + 8 * bit, step((1 as u64) << bit));
  }
  for (; steps > 0; steps >>= 1) {
    if (steps & 1) multiply(square, matrix, matrix);
    multiply(square, square, next);
    memory.copy(square, next, MATRIX_BYTES);
  }
}

/** out = a × b; `out` may be `b`. */
function multiply(a: usize, b: usize, out: usize): void {
  for (let at: usize = 0; at < MATRIX_BYTES; at += 8) store<u64>(out + at, apply(a, load<u64>(b + at)));
}

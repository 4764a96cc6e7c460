// Products of a wide left operand, which is read as it is, with a narrow right one, in f32 or f64. The right operand and
// the result are in panels of 32 bytes a line (eight or four columns), one behind the other. The left operand is a stripe
// of rows of a matrix, `stride` bytes apart.

/** Lines of a panel of the right operand that are taken, and summed, at a time: 4 KiB, for the first-level cache. */
const DEPTH: usize = 128;

/**
 * Adds `lines` (a multiple of 4) lines of a product of inner length `length`. The lines of the left operand are `apart` bytes
 * apart, their elements `step`: they are the rows of the stripe or its columns.
 */
// @ts-ignore: decorator
@inline
export function addNarrow<T>(
  left: usize, apart: usize, step: usize, lines: usize, length: usize, right: usize, panels: usize, out: usize,
): void {
  for (let from: usize = 0; from < length; from += DEPTH) {
    const depth = min(DEPTH, length - from);
    for (let line: usize = 0; line < lines; line += 4) {
      const a = left + line * apart + from * step;
      for (let panel: usize = 0; panel < panels; panel++) {
        addTile<T>(a, apart, step, right + ((panel * length + from) << 5), depth, out + ((panel * lines + line) << 5));
      }
    }
  }
}

/** Four lines of one panel. */
// @ts-ignore: decorator
@inline
function addTile<T>(a0: usize, apart: usize, step: usize, b: usize, depth: usize, out: usize): void {
  const zero = v128.splat<T>(0);
  let t00 = zero, t01 = zero, t10 = zero, t11 = zero, t20 = zero, t21 = zero, t30 = zero, t31 = zero;
  let a1 = a0 + apart, a2 = a1 + apart, a3 = a2 + apart;
  // Unrolled, this loop was slower by a third.
  for (const end = b + (depth << 5); b < end; b += 32) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let a = v128.load_splat<T>(a0);
    t00 = v128.add<T>(t00, v128.mul<T>(a, b0));
    t01 = v128.add<T>(t01, v128.mul<T>(a, b1));
    a = v128.load_splat<T>(a1);
    t10 = v128.add<T>(t10, v128.mul<T>(a, b0));
    t11 = v128.add<T>(t11, v128.mul<T>(a, b1));
    a = v128.load_splat<T>(a2);
    t20 = v128.add<T>(t20, v128.mul<T>(a, b0));
    t21 = v128.add<T>(t21, v128.mul<T>(a, b1));
    a = v128.load_splat<T>(a3);
    t30 = v128.add<T>(t30, v128.mul<T>(a, b0));
    t31 = v128.add<T>(t31, v128.mul<T>(a, b1));
    a0 += step, a1 += step, a2 += step, a3 += step;
  }
  // Added up only here, what thousands of products sum to is rounded less often.
  addLine<T>(out, t00, t01);
  addLine<T>(out + 32, t10, t11);
  addLine<T>(out + 64, t20, t21);
  addLine<T>(out + 96, t30, t31);
}

// @ts-ignore: decorator
@inline
function addLine<T>(out: usize, low: v128, high: v128): void {
  v128.store(out, v128.add<T>(v128.load(out), low));
  v128.store(out, v128.add<T>(v128.load(out, 16), high), 16);
}

// Products of packed blocks, in f64: see src/kernels/blockedMultiply.ts.

/** `out` (rows × cols, both multiples of 4, row-major) = the product of two packed blocks; or, in f32, += it. */
// @ts-ignore: decorator
@inline
export function forEachTile<T>(left: usize, right: usize, rows: i32, cols: i32, length: i32, out: usize): void {
  const panel = (<usize>length) << 5;
  const stride = (<usize>cols) * sizeof<T>();
  for (let col = 0; col < cols; col += 4) {
    let target = out + (<usize>col) * sizeof<T>();
    let from = left;
    for (let row = 0; row < rows; row += 4) {
      multiplyTile<T>(from, right, panel, target, stride);
      from += panel;
      target += stride << 2;
    }
    right += panel;
  }
}

// @ts-ignore: decorator
@inline
function multiplyTile<T>(left: usize, right: usize, panel: usize, out: usize, stride: usize): void {
  let t00 = f64x2.splat(0);
  let t01 = t00;
  let t10 = t00;
  let t11 = t00;
  let t20 = t00;
  let t21 = t00;
  let t30 = t00;
  let t31 = t00;
  for (const end = left + panel; left < end; left += 32, right += 32) {
    const b0 = v128.load(right);
    const b1 = v128.load(right, 16);
    let a = v128.load64_splat(left);
    t00 = f64x2.add(t00, f64x2.mul(a, b0));
    t01 = f64x2.add(t01, f64x2.mul(a, b1));
    a = v128.load64_splat(left, 8);
    t10 = f64x2.add(t10, f64x2.mul(a, b0));
    t11 = f64x2.add(t11, f64x2.mul(a, b1));
    a = v128.load64_splat(left, 16);
    t20 = f64x2.add(t20, f64x2.mul(a, b0));
    t21 = f64x2.add(t21, f64x2.mul(a, b1));
    a = v128.load64_splat(left, 24);
    t30 = f64x2.add(t30, f64x2.mul(a, b0));
    t31 = f64x2.add(t31, f64x2.mul(a, b1));
  }
  putRow<T>(out, t00, t01);
  putRow<T>(out + stride, t10, t11);
  putRow<T>(out + stride * 2, t20, t21);
  putRow<T>(out + stride * 3, t30, t31);
}

/** Stores four elements as f64; adds them to four of f32, in f64 and rounded once. */
// @ts-ignore: decorator
@inline
function putRow<T>(out: usize, low: v128, high: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(out, low);
    v128.store(out, high, 16);
  } else {
    const before = v128.load(out);
    const upper = v128.shuffle<i64>(before, before, 1, 1);
    low = f32x4.demote_f64x2_zero(f64x2.add(f64x2.promote_low_f32x4(before), low));
    high = f32x4.demote_f64x2_zero(f64x2.add(f64x2.promote_low_f32x4(upper), high));
    v128.store(out, v128.shuffle<i64>(low, high, 0, 2));
  }
}

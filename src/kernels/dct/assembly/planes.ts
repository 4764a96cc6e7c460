// A row and the complex numbers of its transform as two planes of floats, all real parts and then all imaginary ones:
// four neighbours fill a vector there, wherever they begin.

/** A row of n floats to a plane in folded order (see lanes.ts), or with `back` the other way. */
export function foldRow(row: usize, n: usize, plane: usize, back: bool): void {
  let even = plane, odd = plane + n * 4;
  const end = row + n * 4;
  for (; row + 32 <= end; row += 32, even += 16) {
    odd -= 16;
    if (back) {
      const evens = v128.load(even), odds = v128.load(odd);
      v128.store(row, v128.shuffle<u32>(evens, odds, 0, 7, 1, 6));
      v128.store(row, v128.shuffle<u32>(evens, odds, 2, 5, 3, 4), 16);
    } else {
      v128.store(even, realParts(row));
      v128.store(odd, backwards(imaginaryParts(row)));
    }
  }
  for (let isOdd = false; row < end; row += 4, isOdd = !isOdd) {
    if (isOdd) odd -= 4;
    const at = isOdd ? odd : even;
    if (!isOdd) even += 4;
    if (back) store<f32>(row, load<f32>(at));
    else store<f32>(at, load<f32>(row));
  }
}

/**
 * The DCT-II coefficients of a row from its DFT in planes (see turns.ts), or with `back` from the coefficients the
 * conjugate of the DFT, which another DFT turns into the row. Four k together with their n − k, where the DFT of a row
 * has the conjugates; they meet and cross in the middle. n is at least 8.
 */
export function turnRow(row: usize, n: usize, turns: usize, re: usize, im: usize, back: bool): void {
  const scale = <f32>Math.sqrt(1 / <f64>n);
  if (back) {
    store<f32>(re, load<f32>(row) * scale);
    store<f32>(im, 0);
  } else store<f32>(row, load<f32>(re) * scale);
  for (let k: usize = 1; k <= n - k; k += 4) {
    const low = k * 4, high = (n - k - 3) * 4;
    const cos = realParts(turns + k * 8), sin = imaginaryParts(turns + k * 8);
    const x = v128.load((back ? row : re) + low);
    const y = back ? backwards(v128.load(row + high)) : v128.load(im + low);
    const u = f32x4.add(f32x4.mul(x, cos), f32x4.mul(y, sin));
    const v = f32x4.sub(f32x4.mul(y, cos), f32x4.mul(x, sin));
    if (back) {
      v128.store(re + high, backwards(u));
      v128.store(im + high, f32x4.neg(backwards(v)));
      v128.store(re + low, u);
      v128.store(im + low, v);
    } else {
      v128.store(row + high, backwards(f32x4.mul(v, f32x4.splat(-2))));
      v128.store(row + low, f32x4.add(u, u));
    }
  }
}

/** Real parts of four neighbours that lie as re, im, re, im, … */
// @ts-ignore: decorator
@inline
export function realParts(at: usize): v128 {
  return v128.shuffle<u32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
export function imaginaryParts(at: usize): v128 {
  return v128.shuffle<u32>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function backwards(four: v128): v128 {
  return v128.shuffle<u32>(four, four, 3, 2, 1, 0);
}

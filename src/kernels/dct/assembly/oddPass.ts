// The pass of passes.ts for any odd radix r, in O(r²). `roots` holds cos and sin of 2πk/r, k < r; `scratch` has room
// for r complex numbers.

import { COMPLEX, loadIm, loadRe, storeComplex, storeTwiddled } from './complex';

export function oddPass(
  r: usize, src: usize, dst: usize, m: usize, s: usize, roots: usize, twiddles: usize, scratch: usize,
): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  for (let p: usize = 0; p < m; p++) {
    for (const end = src + to; src < end; src += COMPLEX, dst += COMPLEX) {
      butterfly(r, src, dst, from, to, roots, twiddles, p != 0, scratch);
    }
    dst += (r - 1) * to;
    if (p != 0) twiddles += (r - 1) * 8;
  }
}

/** The inputs i and r − i go together: their sums meet the cosines, their differences the sines. */
// @ts-ignore: decorator
@inline
function butterfly(
  r: usize, src: usize, dst: usize, from: usize, to: usize,
  roots: usize, twiddles: usize, twiddled: bool, scratch: usize,
): void {
  const ar = loadRe(src), ai = loadIm(src);
  const half = r >> 1;
  let totalR = ar, totalI = ai;
  let pair = scratch;
  let front = src + from, back = src + (r - 1) * from;
  for (let i: usize = 0; i < half; i++, front += from, back -= from, pair += 2 * COMPLEX) {
    const fr = loadRe(front), fi = loadIm(front);
    const br = loadRe(back), bi = loadIm(back);
    const sumR = f32x4.add(fr, br), sumI = f32x4.add(fi, bi);
    totalR = f32x4.add(totalR, sumR);
    totalI = f32x4.add(totalI, sumI);
    storeComplex(pair, sumR, sumI);
    storeComplex(pair + COMPLEX, f32x4.sub(fr, br), f32x4.sub(fi, bi));
  }
  storeComplex(dst, totalR, totalI);

  for (let j: usize = 1; j <= half; j++) {
    let midR = ar, midI = ai;
    let turnR = f32x4.splat(0), turnI = turnR;
    pair = scratch;
    for (let i: usize = 0, k = j; i < half; i++, pair += 2 * COMPLEX) {
      const cos = v128.load32_splat(roots + k * 8), sin = v128.load32_splat(roots + k * 8, 4);
      midR = f32x4.add(midR, f32x4.mul(cos, loadRe(pair)));
      midI = f32x4.add(midI, f32x4.mul(cos, loadIm(pair)));
      turnR = f32x4.add(turnR, f32x4.mul(sin, loadIm(pair + COMPLEX)));
      turnI = f32x4.add(turnI, f32x4.mul(sin, loadRe(pair + COMPLEX)));
      k += j;
      if (k >= r) k -= r;
    }
    const low = dst + j * to, high = dst + (r - j) * to;
    const lowR = f32x4.add(midR, turnR), lowI = f32x4.sub(midI, turnI);
    const highR = f32x4.sub(midR, turnR), highI = f32x4.add(midI, turnI);
    if (twiddled) {
      const w = twiddles + (j - 1) * 8, v = twiddles + (r - j - 1) * 8;
      storeTwiddled(low, lowR, lowI, v128.load32_splat(w), v128.load32_splat(w, 4));
      storeTwiddled(high, highR, highI, v128.load32_splat(v), v128.load32_splat(v, 4));
    } else {
      storeComplex(low, lowR, lowI);
      storeComplex(high, highR, highI);
    }
  }
}

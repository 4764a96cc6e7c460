// From a complex DFT to the DCTs of its real and its imaginary part, and back. J. Makhoul, "A fast cosine transform in
// one and two dimensions", 1980: the DCT-II of x is, but for a quarter turn each, the DFT of the even elements of x
// followed by the odd ones backwards. "a" is the transform in the real parts, "b" that in the imaginary ones.

import { COMPLEX, loadIm, loadRe, storeComplex } from './complex';

/** DCT-II coefficients of a and b (`to`) from the DFT of their sum a + ib (`from`). */
export function turnForward(n: usize, turns: usize, from: usize, to: usize): void {
  const scale = f32x4.splat(<f32>Math.sqrt(1 / <f64>n));
  storeComplex(to, f32x4.mul(loadRe(from), scale), f32x4.mul(loadIm(from), scale));
  for (let k: usize = 1; k <= n - k; k++) {
    const low = k * COMPLEX, high = (n - k) * COMPLEX;
    const cos = v128.load32_splat(turns + k * 8), sin = v128.load32_splat(turns + k * 8, 4);
    const lowR = loadRe(from + low), lowI = loadIm(from + low);
    const highR = loadRe(from + high), highI = loadIm(from + high);
    const evenR = f32x4.add(lowR, highR), oddI = f32x4.sub(lowI, highI);
    const evenI = f32x4.add(lowI, highI), oddR = f32x4.sub(lowR, highR);
    storeComplex(
      to + high,
      f32x4.sub(f32x4.mul(evenR, sin), f32x4.mul(oddI, cos)),
      f32x4.add(f32x4.mul(evenI, sin), f32x4.mul(oddR, cos)),
    );
    storeComplex(
      to + low,
      f32x4.add(f32x4.mul(evenR, cos), f32x4.mul(oddI, sin)),
      f32x4.sub(f32x4.mul(evenI, cos), f32x4.mul(oddR, sin)),
    );
  }
}

/**
 * The other way, for the inverse: what a forward DFT turns into b + ia. Exchanging real and imaginary parts before and
 * after makes a DFT its own inverse; the exchange before is done here.
 */
export function turnInverse(n: usize, turns: usize, from: usize, to: usize): void {
  const scale = f32x4.splat(<f32>Math.sqrt(1 / <f64>n));
  storeComplex(to, f32x4.mul(loadIm(from), scale), f32x4.mul(loadRe(from), scale));
  for (let k: usize = 1; k <= n - k; k++) {
    const low = k * COMPLEX, high = (n - k) * COMPLEX;
    const cos = v128.load32_splat(turns + k * 8), sin = v128.load32_splat(turns + k * 8, 4);
    const aLow = loadRe(from + low), bLow = loadIm(from + low);
    const aHigh = loadRe(from + high), bHigh = loadIm(from + high);
    const aR = f32x4.add(f32x4.mul(aLow, cos), f32x4.mul(aHigh, sin));
    const aI = f32x4.sub(f32x4.mul(aLow, sin), f32x4.mul(aHigh, cos));
    const bR = f32x4.add(f32x4.mul(bLow, cos), f32x4.mul(bHigh, sin));
    const bI = f32x4.sub(f32x4.mul(bLow, sin), f32x4.mul(bHigh, cos));
    storeComplex(to + high, f32x4.sub(bR, aI), f32x4.add(aR, bI));
    storeComplex(to + low, f32x4.add(bR, aI), f32x4.sub(aR, bI));
  }
}

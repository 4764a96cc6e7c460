// Complex DFTs of four lanes each, of any length.

import { COMPLEX, loadIm, loadRe, storeTwiddled } from './complex';
import { oddPass } from './oddPass';
import { pass2, pass3, pass4, pass5 } from './passes';
import { chirp, chirpSpectrum, fftSize, passCount, passRadix, passTable, planSize } from './plan';

/**
 * The DFT of the n complex numbers at `src`, in `dst`, or where dst = 0 in `a` or `b`; the result says where. `src` may
 * be `dst` or `b`. `a` and `b` have room for fftSize(plan) complex numbers.
 */
export function dft(plan: usize, src: usize, dst: usize, a: usize, b: usize, scratch: usize): usize {
  return fftSize(plan) == planSize(plan)
    ? fft(plan, 0, src, dst, a, b, scratch)
    : bluestein(plan, src, dst, a, b, scratch);
}

/** All passes from `first` on: 0, or 1 where another function has taken the first one, of radix 4, to the lanes. */
export function fft(
  plan: usize, first: usize, src: usize, dst: usize, a: usize, b: usize, scratch: usize,
): usize {
  const passes = passCount(plan);
  let rest = fftSize(plan) >> (2 * first);
  let s: usize = 1;
  let to = a, other = b;
  for (let pass = first; pass < passes; pass++) {
    if (dst != 0 && pass == passes - 1) to = dst;
    const r = passRadix(plan, pass);
    const table = passTable(plan, pass);
    const m = rest / r;
    if (r == 4) pass4(src, to, m, s, table);
    else if (r == 2) pass2(src, to, m, s, table);
    else if (r == 3) pass3(src, to, m, s, table);
    else if (r == 5) pass5(src, to, m, s, table);
    else oddPass(r, src, to, m, s, table, table + r * 8, scratch);
    rest = m;
    s *= r;
    src = to;
    to = other;
    other = src;
  }
  return src;
}

/**
 * Bluestein's convolution: with jk = (j² + k² − (k − j)²) / 2 a DFT of any length is a convolution with a chirp, which
 * FFTs of another length can do. L. Bluestein, "A linear filtering approach to the computation of discrete Fourier
 * transform", 1970. The inverse FFT is the conjugate of the FFT of the conjugate.
 */
function bluestein(plan: usize, src: usize, dst: usize, a: usize, b: usize, scratch: usize): usize {
  const n = planSize(plan), length = fftSize(plan);
  for (let k: usize = 0; k < n; k++) {
    const at = src + k * COMPLEX, w = chirp(plan) + k * 8;
    storeTwiddled(b + k * COMPLEX, loadRe(at), loadIm(at), v128.load32_splat(w), v128.load32_splat(w, 4));
  }
  memory.fill(b + n * COMPLEX, 0, (length - n) * COMPLEX);
  const spectrum = fft(plan, 0, b, 0, a, b, scratch);
  multiplyConjugate(spectrum, chirpSpectrum(plan), spectrum, length);
  const other = spectrum == a ? b : a;
  const product = fft(plan, 0, spectrum, 0, other, spectrum, scratch);
  const result = dst != 0 ? dst : product;
  multiplyConjugate(product, chirp(plan), result, n);
  return result;
}

/** to[k] = conj(from[k]) · factors[k] */
function multiplyConjugate(from: usize, factors: usize, to: usize, count: usize): void {
  for (let k: usize = 0; k < count; k++) {
    const at = from + k * COMPLEX, w = factors + k * 8;
    const re = loadRe(at), im = f32x4.neg(loadIm(at));
    storeTwiddled(to + k * COMPLEX, re, im, v128.load32_splat(w), v128.load32_splat(w, 4));
  }
}

// One pass of a Stockham FFT for each small radix: no bit reversal, all accesses in order.
//
// A pass of radix r takes s interleaved transforms of length r·m from `src` to r·s of length m in `dst`:
//   dst[q + s(r·p + j)] = w^(p·j) · Σ_i src[q + s(p + m·i)] · e^(−2πi·ij/r),   w = e^(−2πi/(r·m)), p < m, q < s.
// The twiddle factors of p = 1, 2, … follow each other in `twiddles`: w^p, w^2p, … w^(r−1)p. For p = 0 all are 1. They
// are loaded where they are used: kept in variables for all q, they leave too few registers for the butterfly, which took
// a third longer for radix 5. Radix 8 was not faster than 4 and 2, nor other orders of the radices.

import { COMPLEX, loadIm, loadRe, storeComplex, storeTwiddled } from './complex';

const SIN_60: f32 = 0.8660254037844386;
const SIN_72: f32 = 0.9510565162951535;
const SIN_144: f32 = 0.5877852522924731;
/** √5 / 4: the cosines of 72° and 144° are this far from −1/4. */
const ROOT_5_4: f32 = 0.5590169943749475;

export function pass2(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  let end = src + to;
  for (; src < end; src += COMPLEX, dst += COMPLEX) {
    const ar = loadRe(src), ai = loadIm(src);
    const br = loadRe(src + from), bi = loadIm(src + from);
    storeComplex(dst, f32x4.add(ar, br), f32x4.add(ai, bi));
    storeComplex(dst + to, f32x4.sub(ar, br), f32x4.sub(ai, bi));
  }
  for (let p: usize = 1; p < m; p++) {
    dst += to;
    const wr = v128.load32_splat(twiddles), wi = v128.load32_splat(twiddles, 4);
    twiddles += 8;
    end = src + to;
    for (; src < end; src += COMPLEX, dst += COMPLEX) {
      const ar = loadRe(src), ai = loadIm(src);
      const br = loadRe(src + from), bi = loadIm(src + from);
      storeComplex(dst, f32x4.add(ar, br), f32x4.add(ai, bi));
      storeTwiddled(dst + to, f32x4.sub(ar, br), f32x4.sub(ai, bi), wr, wi);
    }
  }
}

export function pass3(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly3(src, dst, from, to, 0, false);
  for (let p: usize = 1; p < m; p++) {
    dst += 2 * to;
    for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly3(src, dst, from, to, twiddles, true);
    twiddles += 16;
  }
}

// @ts-ignore: decorator
@inline
function butterfly3(src: usize, dst: usize, from: usize, to: usize, twiddles: usize, twiddled: bool): void {
  const half = f32x4.splat(0.5);
  const sin = f32x4.splat(SIN_60);
  const br = loadRe(src + from), bi = loadIm(src + from);
  const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
  const ar = loadRe(src), ai = loadIm(src);
  const sumR = f32x4.add(br, cr), sumI = f32x4.add(bi, ci);
  const midR = f32x4.sub(ar, f32x4.mul(half, sumR)), midI = f32x4.sub(ai, f32x4.mul(half, sumI));
  const turnR = f32x4.mul(sin, f32x4.sub(bi, ci)), turnI = f32x4.mul(sin, f32x4.sub(cr, br));
  storeComplex(dst, f32x4.add(ar, sumR), f32x4.add(ai, sumI));
  put(dst + to, f32x4.add(midR, turnR), f32x4.add(midI, turnI), twiddles, twiddled);
  put(dst + 2 * to, f32x4.sub(midR, turnR), f32x4.sub(midI, turnI), twiddles + 8, twiddled);
}

export function pass4(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly4(src, dst, from, to, 0, false);
  for (let p: usize = 1; p < m; p++) {
    dst += 3 * to;
    for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly4(src, dst, from, to, twiddles, true);
    twiddles += 24;
  }
}

// @ts-ignore: decorator
@inline
function butterfly4(src: usize, dst: usize, from: usize, to: usize, twiddles: usize, twiddled: bool): void {
  const ar = loadRe(src), ai = loadIm(src);
  const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
  const br = loadRe(src + from), bi = loadIm(src + from);
  const dr = loadRe(src + 3 * from), di = loadIm(src + 3 * from);
  const acR = f32x4.add(ar, cr), acI = f32x4.add(ai, ci);
  const bdR = f32x4.add(br, dr), bdI = f32x4.add(bi, di);
  storeComplex(dst, f32x4.add(acR, bdR), f32x4.add(acI, bdI));
  put(dst + 2 * to, f32x4.sub(acR, bdR), f32x4.sub(acI, bdI), twiddles + 8, twiddled);
  const offR = f32x4.sub(ar, cr), offI = f32x4.sub(ai, ci);
  const turnR = f32x4.sub(bi, di), turnI = f32x4.sub(dr, br);
  put(dst + to, f32x4.add(offR, turnR), f32x4.add(offI, turnI), twiddles, twiddled);
  put(dst + 3 * to, f32x4.sub(offR, turnR), f32x4.sub(offI, turnI), twiddles + 16, twiddled);
}

export function pass5(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly5(src, dst, from, to, 0, false);
  for (let p: usize = 1; p < m; p++) {
    dst += 4 * to;
    for (let end = src + to; src < end; src += COMPLEX, dst += COMPLEX) butterfly5(src, dst, from, to, twiddles, true);
    twiddles += 32;
  }
}

// @ts-ignore: decorator
@inline
function butterfly5(src: usize, dst: usize, from: usize, to: usize, twiddles: usize, twiddled: bool): void {
  const quarter = f32x4.splat(0.25), root = f32x4.splat(ROOT_5_4);
  const s1 = f32x4.splat(SIN_72), s2 = f32x4.splat(SIN_144);
  const br = loadRe(src + from), bi = loadIm(src + from);
  const er = loadRe(src + 4 * from), ei = loadIm(src + 4 * from);
  const beR = f32x4.add(br, er), beI = f32x4.add(bi, ei);
  const dif1R = f32x4.sub(br, er), dif1I = f32x4.sub(bi, ei);
  const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
  const dr = loadRe(src + 3 * from), di = loadIm(src + 3 * from);
  const cdR = f32x4.add(cr, dr), cdI = f32x4.add(ci, di);
  const dif2R = f32x4.sub(cr, dr), dif2I = f32x4.sub(ci, di);
  const sumR = f32x4.add(beR, cdR), sumI = f32x4.add(beI, cdI);
  const ar = loadRe(src), ai = loadIm(src);
  storeComplex(dst, f32x4.add(ar, sumR), f32x4.add(ai, sumI));
  const midR = f32x4.sub(ar, f32x4.mul(quarter, sumR)), midI = f32x4.sub(ai, f32x4.mul(quarter, sumI));
  const offR = f32x4.mul(root, f32x4.sub(beR, cdR)), offI = f32x4.mul(root, f32x4.sub(beI, cdI));
  const mid1R = f32x4.add(midR, offR), mid1I = f32x4.add(midI, offI);
  const turn1R = f32x4.add(f32x4.mul(s1, dif1I), f32x4.mul(s2, dif2I));
  const turn1I = f32x4.add(f32x4.mul(s1, dif1R), f32x4.mul(s2, dif2R));
  put(dst + to, f32x4.add(mid1R, turn1R), f32x4.sub(mid1I, turn1I), twiddles, twiddled);
  put(dst + 4 * to, f32x4.sub(mid1R, turn1R), f32x4.add(mid1I, turn1I), twiddles + 24, twiddled);
  const mid2R = f32x4.sub(midR, offR), mid2I = f32x4.sub(midI, offI);
  const turn2R = f32x4.sub(f32x4.mul(s2, dif1I), f32x4.mul(s1, dif2I));
  const turn2I = f32x4.sub(f32x4.mul(s2, dif1R), f32x4.mul(s1, dif2R));
  put(dst + 2 * to, f32x4.add(mid2R, turn2R), f32x4.sub(mid2I, turn2I), twiddles + 8, twiddled);
  put(dst + 3 * to, f32x4.sub(mid2R, turn2R), f32x4.add(mid2I, turn2I), twiddles + 16, twiddled);
}

// @ts-ignore: decorator
@inline
function put(at: usize, re: v128, im: v128, twiddle: usize, twiddled: bool): void {
  if (twiddled) storeTwiddled(at, re, im, v128.load32_splat(twiddle), v128.load32_splat(twiddle, 4));
  else storeComplex(at, re, im);
}

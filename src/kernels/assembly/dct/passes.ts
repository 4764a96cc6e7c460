// One pass of a Stockham FFT for each small radix: no bit reversal, all accesses in order.
//
// A pass of radix r takes s interleaved transforms of length r·m from `src` to r·s of length m in `dst`:
//   dst[q + s(r·p + j)] = w^(p·j) · Σ_i src[q + s(p + m·i)] · e^(−2πi·ij/r),   w = e^(−2πi/(r·m)), p < m, q < s.
// The twiddle factors of p = 1, 2, … follow each other in `twiddles`: w^p, w^2p, … w^(r−1)p. For p = 0 all are 1.

import { COMPLEX, loadIm, loadRe, storeComplex, storeTwiddled } from './complex';

const SIN_60: f32 = 0.8660254037844386;
const COS_72: f32 = 0.30901699437494745;
const SIN_72: f32 = 0.9510565162951535;
const COS_144: f32 = -0.8090169943749475;
const SIN_144: f32 = 0.5877852522924731;

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
  const half = f32x4.splat(0.5);
  const sin = f32x4.splat(SIN_60);
  let w1r = f32x4.splat(1), w1i = f32x4.splat(0), w2r = w1r, w2i = w1i;
  for (let p: usize = 0; p < m; p++) {
    const end = src + to;
    for (; src < end; src += COMPLEX, dst += COMPLEX) {
      const ar = loadRe(src), ai = loadIm(src);
      const br = loadRe(src + from), bi = loadIm(src + from);
      const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
      const sumR = f32x4.add(br, cr), sumI = f32x4.add(bi, ci);
      const midR = f32x4.sub(ar, f32x4.mul(half, sumR)), midI = f32x4.sub(ai, f32x4.mul(half, sumI));
      const turnR = f32x4.mul(sin, f32x4.sub(bi, ci)), turnI = f32x4.mul(sin, f32x4.sub(cr, br));
      storeComplex(dst, f32x4.add(ar, sumR), f32x4.add(ai, sumI));
      storeTwiddled(dst + to, f32x4.add(midR, turnR), f32x4.add(midI, turnI), w1r, w1i);
      storeTwiddled(dst + 2 * to, f32x4.sub(midR, turnR), f32x4.sub(midI, turnI), w2r, w2i);
    }
    dst += 2 * to;
    w1r = v128.load32_splat(twiddles), w1i = v128.load32_splat(twiddles, 4);
    w2r = v128.load32_splat(twiddles, 8), w2i = v128.load32_splat(twiddles, 12);
    twiddles += 16;
  }
}

export function pass4(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  let end = src + to;
  for (; src < end; src += COMPLEX, dst += COMPLEX) {
    const ar = loadRe(src), ai = loadIm(src);
    const br = loadRe(src + from), bi = loadIm(src + from);
    const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
    const dr = loadRe(src + 3 * from), di = loadIm(src + 3 * from);
    const acR = f32x4.add(ar, cr), acI = f32x4.add(ai, ci);
    const bdR = f32x4.add(br, dr), bdI = f32x4.add(bi, di);
    const offR = f32x4.sub(ar, cr), offI = f32x4.sub(ai, ci);
    const turnR = f32x4.sub(bi, di), turnI = f32x4.sub(dr, br);
    storeComplex(dst, f32x4.add(acR, bdR), f32x4.add(acI, bdI));
    storeComplex(dst + to, f32x4.add(offR, turnR), f32x4.add(offI, turnI));
    storeComplex(dst + 2 * to, f32x4.sub(acR, bdR), f32x4.sub(acI, bdI));
    storeComplex(dst + 3 * to, f32x4.sub(offR, turnR), f32x4.sub(offI, turnI));
  }
  for (let p: usize = 1; p < m; p++) {
    dst += 3 * to;
    const w1r = v128.load32_splat(twiddles), w1i = v128.load32_splat(twiddles, 4);
    const w2r = v128.load32_splat(twiddles, 8), w2i = v128.load32_splat(twiddles, 12);
    const w3r = v128.load32_splat(twiddles, 16), w3i = v128.load32_splat(twiddles, 20);
    twiddles += 24;
    end = src + to;
    for (; src < end; src += COMPLEX, dst += COMPLEX) {
      const ar = loadRe(src), ai = loadIm(src);
      const br = loadRe(src + from), bi = loadIm(src + from);
      const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
      const dr = loadRe(src + 3 * from), di = loadIm(src + 3 * from);
      const acR = f32x4.add(ar, cr), acI = f32x4.add(ai, ci);
      const bdR = f32x4.add(br, dr), bdI = f32x4.add(bi, di);
      const offR = f32x4.sub(ar, cr), offI = f32x4.sub(ai, ci);
      const turnR = f32x4.sub(bi, di), turnI = f32x4.sub(dr, br);
      storeComplex(dst, f32x4.add(acR, bdR), f32x4.add(acI, bdI));
      storeTwiddled(dst + to, f32x4.add(offR, turnR), f32x4.add(offI, turnI), w1r, w1i);
      storeTwiddled(dst + 2 * to, f32x4.sub(acR, bdR), f32x4.sub(acI, bdI), w2r, w2i);
      storeTwiddled(dst + 3 * to, f32x4.sub(offR, turnR), f32x4.sub(offI, turnI), w3r, w3i);
    }
  }
}

export function pass5(src: usize, dst: usize, m: usize, s: usize, twiddles: usize): void {
  const from = s * m * COMPLEX;
  const to = s * COMPLEX;
  const c1 = f32x4.splat(COS_72), s1 = f32x4.splat(SIN_72);
  const c2 = f32x4.splat(COS_144), s2 = f32x4.splat(SIN_144);
  let w1r = f32x4.splat(1), w1i = f32x4.splat(0), w2r = w1r, w2i = w1i;
  let w3r = w1r, w3i = w1i, w4r = w1r, w4i = w1i;
  for (let p: usize = 0; p < m; p++) {
    const end = src + to;
    for (; src < end; src += COMPLEX, dst += COMPLEX) {
      const ar = loadRe(src), ai = loadIm(src);
      const br = loadRe(src + from), bi = loadIm(src + from);
      const cr = loadRe(src + 2 * from), ci = loadIm(src + 2 * from);
      const dr = loadRe(src + 3 * from), di = loadIm(src + 3 * from);
      const er = loadRe(src + 4 * from), ei = loadIm(src + 4 * from);
      const beR = f32x4.add(br, er), beI = f32x4.add(bi, ei);
      const cdR = f32x4.add(cr, dr), cdI = f32x4.add(ci, di);
      const dif1R = f32x4.sub(br, er), dif1I = f32x4.sub(bi, ei);
      const dif2R = f32x4.sub(cr, dr), dif2I = f32x4.sub(ci, di);
      const mid1R = f32x4.add(ar, f32x4.add(f32x4.mul(c1, beR), f32x4.mul(c2, cdR)));
      const mid1I = f32x4.add(ai, f32x4.add(f32x4.mul(c1, beI), f32x4.mul(c2, cdI)));
      const mid2R = f32x4.add(ar, f32x4.add(f32x4.mul(c2, beR), f32x4.mul(c1, cdR)));
      const mid2I = f32x4.add(ai, f32x4.add(f32x4.mul(c2, beI), f32x4.mul(c1, cdI)));
      // −i times the sums of differences.
      const turn1R = f32x4.add(f32x4.mul(s1, dif1I), f32x4.mul(s2, dif2I));
      const turn1I = f32x4.add(f32x4.mul(s1, dif1R), f32x4.mul(s2, dif2R));
      const turn2R = f32x4.sub(f32x4.mul(s2, dif1I), f32x4.mul(s1, dif2I));
      const turn2I = f32x4.sub(f32x4.mul(s2, dif1R), f32x4.mul(s1, dif2R));
      storeComplex(dst, f32x4.add(ar, f32x4.add(beR, cdR)), f32x4.add(ai, f32x4.add(beI, cdI)));
      storeTwiddled(dst + to, f32x4.add(mid1R, turn1R), f32x4.sub(mid1I, turn1I), w1r, w1i);
      storeTwiddled(dst + 2 * to, f32x4.add(mid2R, turn2R), f32x4.sub(mid2I, turn2I), w2r, w2i);
      storeTwiddled(dst + 3 * to, f32x4.sub(mid2R, turn2R), f32x4.add(mid2I, turn2I), w3r, w3i);
      storeTwiddled(dst + 4 * to, f32x4.sub(mid1R, turn1R), f32x4.add(mid1I, turn1I), w4r, w4i);
    }
    dst += 4 * to;
    w1r = v128.load32_splat(twiddles), w1i = v128.load32_splat(twiddles, 4);
    w2r = v128.load32_splat(twiddles, 8), w2i = v128.load32_splat(twiddles, 12);
    w3r = v128.load32_splat(twiddles, 16), w3i = v128.load32_splat(twiddles, 20);
    w4r = v128.load32_splat(twiddles, 24), w4i = v128.load32_splat(twiddles, 28);
    twiddles += 32;
  }
}

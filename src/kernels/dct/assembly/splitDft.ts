// The DFT of a single sequence, split so that it fills the lanes: after a first pass of radix 4, a Stockham FFT is four
// interleaved transforms, element by element beside each other, which is what the other passes want in the lanes. And
// they leave the results in order.

import { COMPLEX, loadIm, loadRe, storeTwiddled } from './complex';
import { fft } from './fft';
import { chirp, chirpSpectrum, fftSize, passTable, planSize } from './plan';
import { imaginaryParts, realParts } from './planes';

/**
 * The DFT of n complex numbers in planes, in place. The length of the FFT is a multiple of 4 and at least 16. All three
 * buffers have room for two planes of that many floats; the second one begins behind the room of the first.
 */
export function splitDft(plan: usize, planes: usize, a: usize, b: usize, scratch: usize): void {
  const n = planSize(plan), length = fftSize(plan);
  if (n == length) {
    splitFft(plan, planes, 0, n, a, b, scratch);
    return;
  }
  // Bluestein's convolution, as in fft.ts. What whole vectors write beyond n is cleared, or never read.
  const im = planes + length * 4;
  for (let k: usize = 0; k < n; k += 4) {
    storeProduct(planes + k * 4, im + k * 4, v128.load(planes + k * 4), v128.load(im + k * 4), chirp(plan) + k * 8);
  }
  memory.fill(planes + n * 4, 0, (length - n) * 4);
  memory.fill(im + n * 4, 0, (length - n) * 4);
  splitFft(plan, planes, chirpSpectrum(plan), length, a, b, scratch);
  splitFft(plan, planes, chirp(plan), n, a, b, scratch);
}

/** In place, the first `count` results; where there are factors, their conjugates times these. */
function splitFft(
  plan: usize, planes: usize, factors: usize, count: usize, a: usize, b: usize, scratch: usize,
): void {
  const planeBytes = fftSize(plan) * 4;
  splitPass(planes, planeBytes, b, passTable(plan, 0));
  let from = fft(plan, 1, b, 0, a, b, scratch);
  for (const end = planes + count * 4; planes < end; planes += 16, from += COMPLEX) {
    const re = loadRe(from), im = loadIm(from);
    if (factors == 0) {
      v128.store(planes, re);
      v128.store(planes + planeBytes, im);
    } else {
      storeProduct(planes, planes + planeBytes, re, f32x4.neg(im), factors);
      factors += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
function storeProduct(toRe: usize, toIm: usize, re: v128, im: v128, factors: usize): void {
  const wr = realParts(factors), wi = imaginaryParts(factors);
  v128.store(toRe, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
  v128.store(toIm, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)));
}

/** The first pass (see passes.ts for its table), four p at a time. */
function splitPass(planes: usize, planeBytes: usize, to: usize, twiddles: usize): void {
  const from = planeBytes / 4;
  const end = planes + from;
  const last = end - 16;
  for (let r = planes; r < end; r += 16) {
    // The last four are rather done twice than one by one.
    if (r > last) {
      to -= (r - last) / 4 * COMPLEX;
      twiddles -= (r - last) / 4 * 24;
      r = last;
    }
    const i = r + planeBytes;
    const ar = v128.load(r), ai = v128.load(i);
    const cr = v128.load(r + 2 * from), ci = v128.load(i + 2 * from);
    const br = v128.load(r + from), bi = v128.load(i + from);
    const dr = v128.load(r + 3 * from), di = v128.load(i + 3 * from);
    const acR = f32x4.add(ar, cr), acI = f32x4.add(ai, ci);
    const bdR = f32x4.add(br, dr), bdI = f32x4.add(bi, di);
    const offR = f32x4.sub(ar, cr), offI = f32x4.sub(ai, ci);
    const turnR = f32x4.sub(bi, di), turnI = f32x4.sub(dr, br);
    const r0 = f32x4.add(acR, bdR), r1 = f32x4.add(offR, turnR);
    const r2 = f32x4.sub(acR, bdR), r3 = f32x4.sub(offR, turnR);
    const i0 = f32x4.add(acI, bdI), i1 = f32x4.add(offI, turnI);
    const i2 = f32x4.sub(acI, bdI), i3 = f32x4.sub(offI, turnI);
    const r01 = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5), r23 = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5);
    const i01 = v128.shuffle<u32>(i0, i1, 0, 4, 1, 5), i23 = v128.shuffle<u32>(i2, i3, 0, 4, 1, 5);
    const r45 = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7), r67 = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
    const i45 = v128.shuffle<u32>(i0, i1, 2, 6, 3, 7), i67 = v128.shuffle<u32>(i2, i3, 2, 6, 3, 7);
    put(to, v128.shuffle<u64>(r01, r23, 0, 2), v128.shuffle<u64>(i01, i23, 0, 2), twiddles - 24);
    put(to + COMPLEX, v128.shuffle<u64>(r01, r23, 1, 3), v128.shuffle<u64>(i01, i23, 1, 3), twiddles);
    put(to + 2 * COMPLEX, v128.shuffle<u64>(r45, r67, 0, 2), v128.shuffle<u64>(i45, i67, 0, 2), twiddles + 24);
    put(to + 3 * COMPLEX, v128.shuffle<u64>(r45, r67, 1, 3), v128.shuffle<u64>(i45, i67, 1, 3), twiddles + 48);
    to += 4 * COMPLEX;
    twiddles += 96;
  }
}

/** Stores four numbers times 1, w^p, w^2p and w^3p. */
// @ts-ignore: decorator
@inline
function put(at: usize, re: v128, im: v128, twiddles: usize): void {
  const low = v128.load(twiddles), high = v128.load(twiddles, 8);
  const wr = f32x4.replace_lane(v128.shuffle<u32>(low, high, 0, 0, 2, 6), 0, 1);
  const wi = f32x4.replace_lane(v128.shuffle<u32>(low, high, 1, 1, 3, 7), 0, 0);
  storeTwiddled(at, re, im, wr, wi);
}

// A complex number of four independent transforms: four real parts, then four imaginary parts.

/** Bytes of one. */
export const COMPLEX: usize = 32;

// @ts-ignore: decorator
@inline
export function loadRe(at: usize): v128 {
  return v128.load(at);
}

// @ts-ignore: decorator
@inline
export function loadIm(at: usize): v128 {
  return v128.load(at, 16);
}

// @ts-ignore: decorator
@inline
export function storeComplex(at: usize, re: v128, im: v128): void {
  v128.store(at, re);
  v128.store(at, im, 16);
}

/** Stores re + i·im times the twiddle factor wr + i·wi, the same in all lanes. */
// @ts-ignore: decorator
@inline
export function storeTwiddled(at: usize, re: v128, im: v128, wr: v128, wi: v128): void {
  storeComplex(
    at,
    f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)),
    f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)),
  );
}

// What JavaScript has worked out for one size (`../wasm/plan.ts` writes it), as it is in memory. All
// fields are u32; addresses are in bytes from the start of the plan.

/** Length of the transform. */
// @ts-ignore: decorator
@inline
export function planSize(plan: usize): usize {
  return load<u32>(plan);
}

/** Length of the FFT under it: the same, or that of Bluestein's convolution. */
// @ts-ignore: decorator
@inline
export function fftSize(plan: usize): usize {
  return load<u32>(plan, 4);
}

// @ts-ignore: decorator
@inline
export function passCount(plan: usize): usize {
  return load<u32>(plan, 8);
}

/** cos and sin of πk/2n, times sqrt(1/2n), for k < n. */
// @ts-ignore: decorator
@inline
export function quarterTurns(plan: usize): usize {
  return plan + load<u32>(plan, 12);
}

/** e^(−πi·k²/n) for k < n; only with Bluestein. */
// @ts-ignore: decorator
@inline
export function chirp(plan: usize): usize {
  return plan + load<u32>(plan, 16);
}

/** Conjugate of the FFT of the conjugate chirp, divided by its length; only with Bluestein. */
// @ts-ignore: decorator
@inline
export function chirpSpectrum(plan: usize): usize {
  return plan + load<u32>(plan, 20);
}

const PASSES: usize = 32;

// @ts-ignore: decorator
@inline
export function passRadix(plan: usize, pass: usize): usize {
  return load<u32>(plan + PASSES + pass * 8);
}

/** Its twiddle factors; before them, for odd radices above 5, the roots of unity. */
// @ts-ignore: decorator
@inline
export function passTable(plan: usize, pass: usize): usize {
  return plan + load<u32>(plan + PASSES + pass * 8, 4);
}

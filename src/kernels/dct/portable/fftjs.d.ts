/** The part of `fft.js` (which ships no types) that is used here. Complex arrays are interleaved. */
declare module 'fft.js' {
  class FFT {
    /** @param size a power of two, at least 2 */
    constructor(size: number);
    /** Forward transform without scaling; `out` and `data` are different arrays of 2 × size numbers. */
    transform(out: Float64Array, data: Float64Array): void;
  }
  export = FFT;
}

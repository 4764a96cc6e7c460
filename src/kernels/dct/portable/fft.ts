import FFT from 'fft.js';
import { allocating } from '../../../checks/limits.js';

/** Forward complex DFT of one size, without scaling. Complex arrays are interleaved: re, im, re, im, … */
export interface Fft {
  /** `data` and `out` are different arrays of 2 × size numbers; `data` may be overwritten. */
  transform(data: Float64Array, out: Float64Array): void;
}

/** @throws LimitError for a size whose tables no memory holds, or no array of the engine: 2^26, or above 2^24 where it is no power of two */
export function createFft(size: number): Fft {
  if (size === 1) return { transform: (data, out) => out.set(data) };
  return allocating(() => {
    if ((size & (size - 1)) !== 0) return new BluesteinFft(size);
    const fft = new FFT(size);
    return { transform: (data, out) => fft.transform(out, data) };
  });
}

/**
 * A DFT of any size as a convolution of power-of-two size: with jk = (j² + k² − (k − j)²) / 2 and the chirp
 * w_j = exp(−iπ j²/n), X_k = w_k Σ_j (x_j w_j) · conj(w_{k−j}).
 * L. Bluestein, "A linear filtering approach to the computation of discrete Fourier transform", 1970.
 */
class BluesteinFft implements Fft {
  readonly #size: number;
  readonly #fft: FFT;
  readonly #chirp: Float64Array;
  /** DFT of the conjugate chirp, including the scaling of the inverse transform. */
  readonly #filter: Float64Array;
  readonly #a: Float64Array;
  readonly #b: Float64Array;

  constructor(size: number) {
    let padded = 2;
    while (padded < 2 * size - 1) padded *= 2;
    this.#size = size;
    this.#fft = new FFT(padded);
    this.#chirp = new Float64Array(2 * size);
    this.#filter = new Float64Array(2 * padded);
    this.#a = new Float64Array(2 * padded);
    this.#b = new Float64Array(2 * padded);
    // j² is kept modulo 2n, the period of the chirp, because the angle of a large square would lose digits.
    for (let j = 0, square = 0; j < size; j++) {
      const angle = (Math.PI * square) / size;
      const re = Math.cos(angle);
      const im = Math.sin(angle);
      this.#chirp[2 * j] = re;
      this.#chirp[2 * j + 1] = -im;
      const mirrored = (padded - j) % padded;
      this.#a[2 * j] = this.#a[2 * mirrored] = re / padded;
      this.#a[2 * j + 1] = this.#a[2 * mirrored + 1] = im / padded;
      square = (square + 2 * j + 1) % (2 * size);
    }
    this.#fft.transform(this.#filter, this.#a);
  }

  transform(data: Float64Array, out: Float64Array): void {
    const a = this.#a;
    const b = this.#b;
    const chirp = this.#chirp;
    const filter = this.#filter;
    const length = 2 * this.#size;
    for (let i = 0; i < length; i += 2) {
      a[i] = data[i]! * chirp[i]! - data[i + 1]! * chirp[i + 1]!;
      a[i + 1] = data[i]! * chirp[i + 1]! + data[i + 1]! * chirp[i]!;
    }
    a.fill(0, length);
    this.#fft.transform(b, a);
    // The inverse transform is the conjugate of the forward transform of the conjugate.
    for (let i = 0; i < b.length; i += 2) {
      const re = b[i]! * filter[i]! - b[i + 1]! * filter[i + 1]!;
      b[i + 1] = -(b[i]! * filter[i + 1]! + b[i + 1]! * filter[i]!);
      b[i] = re;
    }
    this.#fft.transform(a, b);
    for (let i = 0; i < length; i += 2) {
      out[i] = a[i]! * chirp[i]! + a[i + 1]! * chirp[i + 1]!;
      out[i + 1] = a[i]! * chirp[i + 1]! - a[i + 1]! * chirp[i]!;
    }
  }
}

import { createFft, type Fft } from './fft.js';

/**
 * Orthonormal DCT-II and DCT-III of one size, two rows at a time: one is the real, the other the imaginary part
 * of a complex DFT of the same size over the even elements followed by the odd ones backwards.
 * J. Makhoul, "A fast cosine transform in one and two dimensions", 1980.
 */
export class DctPlan {
  readonly size: number;
  readonly #fft: Fft;
  /** cos and sin of πk/2n, times sqrt(1/2n). */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #time: Float64Array;
  readonly #frequency: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.#fft = createFft(size);
    this.#cos = new Float64Array(size);
    this.#sin = new Float64Array(size);
    this.#time = new Float64Array(2 * size);
    this.#frequency = new Float64Array(2 * size);
    const scale = Math.sqrt(1 / (2 * size));
    for (let k = 0; k < size; k++) {
      this.#cos[k] = scale * Math.cos((Math.PI * k) / (2 * size));
      this.#sin[k] = scale * Math.sin((Math.PI * k) / (2 * size));
    }
  }

  /** DCT-II of the rows that begin at p and q of `data`, to the same positions of `out`; p = q for a single row. */
  forward(data: Float32Array, p: number, q: number, out: Float32Array): void {
    const n = this.size;
    const time = this.#time;
    const z = this.#frequency;
    const cos = this.#cos;
    const sin = this.#sin;
    for (let j = 0, front = 0, back = 2 * n - 2; j < n; front += 2, back -= 2) {
      time[front] = data[p + j]!;
      time[front + 1] = data[q + j++]!;
      if (j === n) break;
      time[back] = data[p + j]!;
      time[back + 1] = data[q + j++]!;
    }
    this.#fft.transform(time, z);
    const scale = Math.sqrt(1 / n);
    out[p] = z[0]! * scale;
    out[q] = z[1]! * scale;
    for (let k = 1; k < n; k++) {
      const re = z[2 * k]!;
      const im = z[2 * k + 1]!;
      const mirroredRe = z[2 * (n - k)]!;
      const mirroredIm = z[2 * (n - k) + 1]!;
      const c = cos[k]!;
      const s = sin[k]!;
      out[p + k] = (re + mirroredRe) * c + (im - mirroredIm) * s;
      out[q + k] = (im + mirroredIm) * c - (re - mirroredRe) * s;
    }
  }

  /** DCT-III, the inverse of `forward`. */
  inverse(data: Float32Array, p: number, q: number, out: Float32Array): void {
    const n = this.size;
    const time = this.#time;
    const z = this.#frequency;
    const cos = this.#cos;
    const sin = this.#sin;
    // Real and imaginary parts are swapped in input and output, which inverts the DFT.
    const scale = Math.sqrt(1 / n);
    z[0] = data[q]! * scale;
    z[1] = data[p]! * scale;
    for (let k = 1; k < n; k++) {
      const c = cos[k]!;
      const s = sin[k]!;
      const a = data[p + k]!;
      const aMirrored = data[p + n - k]!;
      const b = data[q + k]!;
      const bMirrored = data[q + n - k]!;
      z[2 * k] = a * s - aMirrored * c + b * c + bMirrored * s;
      z[2 * k + 1] = a * c + aMirrored * s - b * s + bMirrored * c;
    }
    this.#fft.transform(z, time);
    for (let j = 0, front = 0, back = 2 * n - 2; j < n; front += 2, back -= 2) {
      out[p + j] = time[front + 1]!;
      out[q + j++] = time[front]!;
      if (j === n) break;
      out[p + j] = time[back + 1]!;
      out[q + j++] = time[back]!;
    }
  }
}

/** Elements of all plans that are kept, at about 100 bytes each. Larger plans are made for one use. */
const CACHED_ELEMENTS = 1 << 17;

const cache = new Map<number, DctPlan>();
let cachedElements = 0;

/** The plan of a size. The plans used last are kept. */
export function dctPlan(size: number): DctPlan {
  const plan = cache.get(size) ?? new DctPlan(size);
  if (cache.delete(size)) cachedElements -= size;
  if (size > CACHED_ELEMENTS) return plan;
  cache.set(size, plan);
  cachedElements += size;
  for (const oldest of cache.keys()) {
    if (cachedElements <= CACHED_ELEMENTS) break;
    cache.delete(oldest);
    cachedElements -= oldest;
  }
  return plan;
}

import { createFft } from '../portable/fft.js';

/**
 * Odd factors up to this are transformed directly, in O(r²) but on data in registers. A size with a larger prime factor
 * takes Bluestein's convolution, with two FFTs of at least twice the size.
 */
const MAX_RADIX = 97;

/**
 * The twiddle factors of p = 0 precede those of the first pass, which reads them for four p at a time when it is split.
 */
const UNITY = Float32Array.of(1, 0, 1, 0, 1, 0);

const HEADER_BYTES = 32;
const PASS_BYTES = 8;

/** Bytes of the plans that are kept, those used last (a plan takes about 16 bytes × size). */
const CACHE_BYTES = 8 << 20;
/** A larger plan is not kept, though it is made again for each transform. */
const LARGEST_KEPT_BYTES = 32 << 20;

/** A size with its tables for the kernel. */
export interface DctPlan {
  readonly size: number;
  /** Complex numbers that each of the two work buffers must hold. */
  readonly fftSize: number;
  /** In the layout that `assembly/plan.ts` reads. */
  readonly bytes: Uint8Array;
}

const cache = new Map<number, DctPlan>();
let cachedBytes = 0;

export function dctPlan(size: number): DctPlan {
  let plan = cache.get(size);
  if (plan === undefined) {
    plan = createPlan(size);
    if (plan.bytes.length > LARGEST_KEPT_BYTES) return plan;
    cachedBytes += plan.bytes.length;
  } else cache.delete(size);
  cache.set(size, plan);
  for (const [oldest, { bytes }] of cache) {
    if (cachedBytes <= CACHE_BYTES || oldest === size) break;
    cache.delete(oldest);
    cachedBytes -= bytes.length;
  }
  return plan;
}

function createPlan(size: number): DctPlan {
  const ownFactors = radices(size);
  const convolution = ownFactors.some((radix) => radix > MAX_RADIX);
  const fftSize = convolution ? 2 ** Math.ceil(Math.log2(2 * size - 1)) : size;
  const factors = convolution ? radices(fftSize) : ownFactors;

  const tables = [quarterTurns(size)];
  if (convolution) {
    const chirp = chirpOf(size);
    tables.push(chirp, chirpSpectrum(chirp, size, fftSize));
  }
  tables.push(UNITY);
  let rest = fftSize;
  for (const radix of factors) {
    tables.push(passTable(radix, rest));
    rest /= radix;
  }
  return { size, fftSize, bytes: layOut(size, fftSize, factors, tables, convolution) };
}

function layOut(
  size: number,
  fftSize: number,
  factors: readonly number[],
  tables: readonly Float32Array[],
  convolution: boolean,
): Uint8Array {
  const headerBytes = HEADER_BYTES + factors.length * PASS_BYTES;
  const plan = new Uint8Array(tables.reduce((bytes, table) => bytes + table.byteLength, headerBytes));
  const fields = new Uint32Array(plan.buffer, 0, headerBytes / 4);
  const places: number[] = [];
  let at = headerBytes;
  for (const table of tables) {
    places.push(at);
    plan.set(new Uint8Array(table.buffer), at);
    at += table.byteLength;
  }
  const [turns, chirp, spectrum] = places;
  fields.set([size, fftSize, factors.length, turns!]);
  if (convolution) fields.set([chirp!, spectrum!], 4);
  const firstPass = convolution ? 4 : 2;
  for (const [i, radix] of factors.entries()) {
    fields.set([radix, places[firstPass + i]!], (HEADER_BYTES + i * PASS_BYTES) / 4);
  }
  return plan;
}

/** 4 as often as possible, then 2, 3, 5 and the remaining factors. */
function radices(size: number): number[] {
  const found: number[] = [];
  let rest = size;
  for (let radix = 4; rest > 1; ) {
    while (rest % radix === 0) {
      found.push(radix);
      rest /= radix;
    }
    if (radix === 4) radix = 2;
    else if (radix === 2) radix = 3;
    else radix = radix * radix > rest ? rest : radix + 2;
  }
  return found;
}

/** cos and sin of πk/2n, times sqrt(1/2n). */
function quarterTurns(size: number): Float32Array {
  return circle(size, (k) => (Math.PI * k) / (2 * size), Math.sqrt(1 / (2 * size)));
}

/** e^(−πi·k²/n) */
function chirpOf(size: number): Float32Array {
  // k² mod 2n, so that the angle is exact.
  return circle(size, (k) => (-Math.PI * ((k * k) % (2 * size))) / size);
}

function circle(count: number, angle: (k: number) => number, scale = 1): Float32Array {
  const values = new Float32Array(2 * count);
  for (let k = 0; k < count; k++) {
    const at = angle(k);
    values[2 * k] = scale * Math.cos(at);
    values[2 * k + 1] = scale * Math.sin(at);
  }
  return values;
}

/** Conjugate of the FFT of the conjugate chirp laid out for circular convolution, divided by its length. */
function chirpSpectrum(chirp: Float32Array, size: number, fftSize: number): Float32Array {
  const time = new Float64Array(2 * fftSize);
  for (let k = 0; k < size; k++) {
    const mirrored = (fftSize - k) % fftSize;
    time[2 * k] = time[2 * mirrored] = chirp[2 * k]!;
    time[2 * k + 1] = time[2 * mirrored + 1] = -chirp[2 * k + 1]!;
  }
  const spectrum = new Float64Array(2 * fftSize);
  createFft(fftSize).transform(time, spectrum);
  const scaled = new Float32Array(2 * fftSize);
  for (let i = 0; i < scaled.length; i += 2) {
    scaled[i] = spectrum[i]! / fftSize;
    scaled[i + 1] = -spectrum[i + 1]! / fftSize;
  }
  return scaled;
}

/** Twiddle factors of one pass in the order in which it takes them; the roots of odd radices above 5 come first. */
function passTable(radix: number, length: number): Float32Array {
  const m = length / radix;
  const roots = radix > 5 ? circle(radix, (k) => (2 * Math.PI * k) / radix) : new Float32Array(0);
  const twiddles = circle((m - 1) * (radix - 1), (i) => {
    const p = 1 + Math.floor(i / (radix - 1));
    const j = 1 + (i % (radix - 1));
    return (-2 * Math.PI * ((p * j) % length)) / length;
  });
  const table = new Float32Array(roots.length + twiddles.length);
  table.set(roots);
  table.set(twiddles, roots.length);
  return table;
}

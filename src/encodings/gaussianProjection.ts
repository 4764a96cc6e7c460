import { ArgumentError, LimitError } from '../errors.js';
import { conjugateGradients } from './conjugateGradients.js';
import type { DecodeRequest, EncodedFragments, EncodeRequest, EncodingQuality } from './encoding.js';
import { energyOf, energyOfInput, projectionQuality } from './energy.js';
import { readGaussianPayload, writeGaussianPayload } from './gaussianPayload.js';
import { assertLiveSeeds, seedOf } from './seeds.js';

/**
 * The reference's random projection: fragment k holds y = P x / sqrt(d), where the d rows of P are normals of the
 * generator whose seed is the k-th of the header's. Every row is as long as the tensor, so encoding and decoding take
 * O(n²): it is here for files that exist and readers that know nothing else.
 */

/** The reference's smallest number of rows a fragment. */
const MIN_ROWS = 64;

/** Normals to draw, 2^32: a minute or two in plain TypeScript; 256 × 256 elements in the reference's sizes. */
const MAX_NORMALS = 2 ** 32;

/**
 * Conjugate gradients end when the residual of the normal equations is this small against the right side: with
 * square matrices of a thousand rows (condition number some thousands, here squared) the error of the solution
 * is then below the rounding of the projections, which are f32.
 */
const TOLERANCE = 1e-10;

/** Rounding makes conjugate gradients need about twice as many iterations as there are unknowns; twice that. */
const MAX_ITERATIONS_PER_UNKNOWN = 4;

export interface GaussianEncodeOptions {
  /** Rows of each fragment's matrix. Default, as in the reference: elements / fragments, at least 64. */
  readonly rowsPerFragment?: number | undefined;
  /** Encode although it takes minutes. Default false. */
  readonly force?: boolean | undefined;
}

export interface GaussianDecodeOptions {
  /**
   * 'backprojection' (the default) is what the reference does: x_i = Σ P_ji y_j / Σ P_ji², cosine 0.7 at best.
   * 'least-squares' solves for the shortest x with P x = y, exact from as many rows as elements on; it draws
   * all rows again for each of some 2n iterations.
   */
  readonly solver?: 'backprojection' | 'least-squares' | undefined;
  /** Decode although it takes minutes. Default false. */
  readonly force?: boolean | undefined;
}

/** @throws LimitError when it would take minutes, and ArgumentError as `encodeOrthonormal` does */
export function encodeGaussian(
  request: EncodeRequest,
  values: Float32Array,
  { rowsPerFragment, force = false }: GaussianEncodeOptions,
): EncodedFragments {
  const { fragments, seed, kernels } = request;
  const n = values.length;
  const rows = rowsPerFragment ?? Math.max(Math.floor(n / fragments), MIN_ROWS);
  if (!Number.isInteger(rows) || rows < 1) {
    throw new ArgumentError('rowsPerFragment', { expected: 'a positive integer', actual: rows });
  }
  if (!force) assertFeasible(n * rows * fragments);
  assertLiveSeeds(seed, fragments);
  const norm = Math.sqrt(energyOfInput(values));
  const data = Float64Array.from(values);
  const estimate = new BackProjection(n);
  const reconstructed = new Float32Array(n);
  const payloads: Uint8Array[] = [];
  const cosines: number[] = [];
  for (let index = 0; index < fragments; index++) {
    const products = new Float64Array(rows);
    kernels.gaussianRows(seedOf(seed, index), data, products, estimate.sums, estimate.squares);
    const projections = Float32Array.from(products, (product) => product / Math.sqrt(rows));
    if (!Number.isFinite(energyOf(projections))) throw new ArgumentError('a projection is too large for f32');
    payloads.push(writeGaussianPayload(seedOf(seed, index), projections));
    estimate.write(reconstructed);
    cosines.push(cosine(values, norm, reconstructed));
  }
  return {
    payloads,
    norm,
    cosines,
    essentialFirst: false,
    interleaved: true,
    minimumFragments: Math.min(2, fragments),
  };
}

/** Fragments of the Gaussian projection; the caller takes care of duplicates. */
export class GaussianProjection {
  readonly #request: DecodeRequest;
  readonly #options: GaussianDecodeOptions;
  readonly #estimate: BackProjection;
  readonly #received: number[] = [];
  /** Rows of each fragment; those of a tensor all have the same number. */
  #rows: number | undefined;
  /** Energy of the least-squares solution for the fragments at hand, once it has been asked for. */
  #solved: number | undefined;

  constructor(request: DecodeRequest, options: GaussianDecodeOptions) {
    this.#request = request;
    this.#options = options;
    this.#estimate = new BackProjection(request.rows * request.cols);
  }

  /** O(rows × n). @throws LimitError when all fragments would take minutes */
  add(index: number, payload: Uint8Array): void {
    const seed = seedOf(this.#request.seed, index);
    const projections = readGaussianPayload(index, payload, seed, this.#rows);
    const rows = projections.length;
    const { sums, squares } = this.#estimate;
    if (!this.#options.force) assertFeasible(sums.length * rows * this.#request.fragments);
    // The rows come without the factor 1 / sqrt(d), so the projections are freed of it, too.
    const products = Float64Array.from(projections, (value) => value * Math.sqrt(rows));
    this.#request.kernels.gaussianRows(seed, undefined, products, sums, squares);
    this.#rows = rows;
    this.#received.push(index);
    this.#solved = undefined;
  }

  /**
   * The rows are not orthogonal to each other, so there is no true quality of a back-projection. The least-squares
   * solution is the orthogonal projection on the rows; its quality is known after `reconstruct`.
   */
  get quality(): EncodingQuality {
    const { norm, fragments } = this.#request;
    const known = this.#solved === undefined ? undefined : norm;
    return projectionQuality(this.#received.length / fragments, this.#solved ?? 0, known, false);
  }

  /** Back-projection: O(n). Least squares: O(rows × n) for each iteration. */
  reconstruct(out: Float32Array): void {
    if (this.#options.solver !== 'least-squares') {
      this.#estimate.write(out);
      return;
    }
    out.set(this.#solve());
    this.#solved = energyOf(out);
  }

  /** Solves PᵀP x = Pᵀy without ever holding P: its rows are drawn again for every product. */
  #solve(): Float64Array {
    const { kernels, seed } = this.#request;
    const { sums } = this.#estimate;
    const rows = this.#rows ?? 0;
    const unknowns = Math.min(sums.length, rows * this.#received.length);
    if (!this.#options.force) assertFeasible(2 * unknowns * sums.length * rows * this.#received.length);
    const products = new Float64Array(rows);
    return conjugateGradients(
      (direction, out) => {
        for (const index of this.#received) {
          kernels.gaussianRows(seedOf(seed, index), direction, products, out);
        }
      },
      sums,
      TOLERANCE,
      MAX_ITERATIONS_PER_UNKNOWN * unknowns,
    );
  }
}

/** The reference's estimate: a weighted mean over all rows. */
class BackProjection {
  /** Σ_j g_ji (g_j · x), the right side of the normal equations. */
  readonly sums: Float64Array;
  /** Σ_j g_ji² */
  readonly squares: Float64Array;

  constructor(elements: number) {
    this.sums = new Float64Array(elements);
    this.squares = new Float64Array(elements);
  }

  write(out: Float32Array): void {
    for (let i = 0; i < out.length; i++) {
      const square = this.squares[i]!;
      out[i] = square === 0 ? 0 : this.sums[i]! / square;
    }
  }
}

function cosine(values: Float32Array, norm: number, reconstructed: Float32Array): number {
  if (norm === 0) return 1;
  let dot = 0;
  for (let i = 0; i < values.length; i++) dot += values[i]! * reconstructed[i]!;
  return Math.min(1, dot / (norm * Math.sqrt(energyOf(reconstructed))));
}

function assertFeasible(normals: number): void {
  if (normals <= MAX_NORMALS) return;
  throw new LimitError(
    "the Gaussian projection of this tensor takes minutes; use matrix 'orthonormal', or force it",
    { expected: `at most ${MAX_NORMALS} random numbers`, actual: normals },
  );
}

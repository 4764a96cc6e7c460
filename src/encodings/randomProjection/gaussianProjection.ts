import { finish, type Steps } from '../../async/steps.js';
import type { Cost } from '../../checks/limits.js';
import { seedOf } from '../../kernels/gaussian/rng.js';
import type { DecodeRequest, EncodingQuality } from '../encoding.js';
import { energyOf, projectionQuality } from '../energy.js';
import { conjugateGradients } from './conjugateGradients.js';
import type { GaussianDecodeOptions } from './decodeOptions.js';
import { BackProjection, readGaussianPayload } from './gaussianShared.js';

/**
 * Conjugate gradients end when the residual of the normal equations is this small against the right side: with
 * square matrices of a thousand rows (condition number some thousands, here squared) the error of the solution
 * is then below the rounding of the projections, which are f32.
 */
const TOLERANCE = 1e-10;

/** Because of rounding, conjugate gradients need about two iterations per unknown; this is twice that. */
const MAX_ITERATIONS_PER_UNKNOWN = 4;

/** Steps of drawing a normal number and using it. */
const STEPS_PER_NORMAL = 16;

/** Fragments of the Gaussian projection; the caller takes care of duplicates. */
export class GaussianProjection {
  readonly #request: DecodeRequest;
  readonly #options: GaussianDecodeOptions;
  readonly #estimate: BackProjection;
  readonly #received: number[] = [];
  /** Rows of each fragment; those of a tensor all have the same number. */
  #rows: number | undefined;
  /** Energy of the least-squares solution for the fragments so far, once it has been computed. */
  #solved: number | undefined;

  constructor(request: DecodeRequest, options: GaussianDecodeOptions) {
    this.#request = request;
    this.#options = options;
    this.#estimate = new BackProjection(request.rows * request.cols);
  }

  /** The sums stay; each value of the payload takes a row of normal numbers. */
  static cost({ rows, cols }: DecodeRequest, payload: Uint8Array, isNew: boolean): Cost {
    const elements = rows * cols;
    return { bytes: isNew ? 16 * elements : 0, steps: STEPS_PER_NORMAL * elements * (payload.length / 4) };
  }

  /** O(rows × n). */
  add(index: number, payload: Uint8Array): void {
    finish(this.adding(index, payload));
  }

  *adding(index: number, payload: Uint8Array): Steps<void> {
    const seed = seedOf(this.#request.seed, index);
    const projections = readGaussianPayload(index, payload, seed, this.#rows);
    const rows = projections.length;
    const { sums, squares } = this.#estimate;
    // The rows are without the factor 1 / sqrt(d), so it is removed from the projections.
    const products = Float64Array.from(projections, (value) => value * Math.sqrt(rows));
    this.#rows = rows;
    yield* this.#request.kernels.gaussianRowsSteps(seed, undefined, products, sums, squares);
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

  costOfReconstructing(): Cost {
    const { sums } = this.#estimate;
    if (this.#options.solver !== 'least-squares') return { bytes: 0, steps: 4 * sums.length };
    const rows = (this.#rows ?? 0) * this.#received.length;
    const unknowns = Math.min(sums.length, rows);
    return { bytes: 32 * sums.length, steps: STEPS_PER_NORMAL * 2 * unknowns * sums.length * rows };
  }

  /** Back-projection: O(n). Least squares: O(rows × n) for each iteration. */
  *reconstructing(out: Float32Array): Steps<void> {
    if (this.#options.solver !== 'least-squares') {
      this.#estimate.write(out);
      return;
    }
    out.set(yield* this.#solve());
    this.#solved = energyOf(out);
  }

  /** Solves PᵀP x = Pᵀy without P in memory: its rows are drawn again for every product. */
  *#solve(): Steps<Float64Array> {
    const { kernels, seed } = this.#request;
    const { sums } = this.#estimate;
    const rows = this.#rows ?? 0;
    const unknowns = Math.min(sums.length, rows * this.#received.length);
    const products = new Float64Array(rows);
    const received = [...this.#received];
    return yield* conjugateGradients(
      function* (direction, out) {
        for (const index of received) {
          yield* kernels.gaussianRowsSteps(seedOf(seed, index), direction, products, out);
        }
      },
      sums,
      TOLERANCE,
      MAX_ITERATIONS_PER_UNKNOWN * unknowns,
    );
  }
}

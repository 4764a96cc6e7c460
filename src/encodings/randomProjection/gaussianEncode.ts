import { ArgumentError } from '../../errors.js';
import { assertLiveSeeds, seedOf } from '../../kernels/gaussian/rng.js';
import { energyOfInput } from '../encoderInput.js';
import type { EncodedFragments, EncodeRequest } from '../encoding.js';
import { energyOf } from '../energy.js';
import { assertFeasible, BackProjection, writeGaussianPayload } from './gaussianShared.js';

/** The reference's smallest number of rows per fragment. */
const MIN_ROWS = 64;

/** How many rows Gaussian projections have. */
export interface GaussianEncodeOptions {
  /** Rows of each fragment's matrix. Default, as in the reference: elements / fragments, at least 64. */
  readonly rowsPerFragment?: number | undefined;
  /** Encode although it takes minutes. Default false. */
  readonly force?: boolean | undefined;
}

/**
 * The reference's random projection: fragment k holds y = P x / sqrt(d), where the d rows of P are normals of the
 * generator whose seed is the k-th of the header's. Every row is as long as the tensor, so encoding and decoding take
 * O(n²): it exists for existing files and for readers without other encodings.
 * @throws LimitError when it would take minutes; ArgumentError for a value that is not finite, naming its index, and
 *   for a seed that cannot be used
 */
export function encodeGaussian(
  request: EncodeRequest,
  values: Float32Array,
  { rowsPerFragment, force = false }: GaussianEncodeOptions,
): EncodedFragments {
  const { fragments, seed, kernels } = request;
  const n = values.length;
  const rows = rowsPerFragment ?? Math.max(Math.floor(n / fragments), MIN_ROWS);
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
    if (!Number.isFinite(energyOf(projections)))
      throw new ArgumentError('Cannot encode the tensor: a projection is too large for f32');
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

function cosine(values: Float32Array, norm: number, reconstructed: Float32Array): number {
  if (norm === 0) return 1;
  const energy = energyOf(reconstructed);
  // Tiny values become zeros.
  if (energy === 0) return 0;
  let dot = 0;
  for (let i = 0; i < values.length; i++) dot += values[i]! * reconstructed[i]!;
  return Math.min(1, dot / (norm * Math.sqrt(energy)));
}

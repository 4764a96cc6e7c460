import { type Cost, NO_COST } from '../../checks/limits.js';
import { dctCost } from '../../kernels/dct/cost.js';
import type { Stretches } from '../../kernels/dct/interface.js';
import { assertTransformable } from '../encoderInput.js';
import type { DecodeRequest, EncodedFragments, EncodingQuality } from '../encoding.js';
import { describeEnergies, type FragmentEnergies, projectionQuality } from '../energy.js';

/** Coefficients of an orthonormal transform in fragments: what spectral and the orthonormal random projection share. */

export interface CoefficientFragments extends FragmentEnergies {
  readonly payloads: readonly Uint8Array[];
}

/**
 * The result of an encoder whose fragments hold all coefficients of `values`.
 * @throws ArgumentError for a value that is not finite, naming its index, and for a norm beyond f32
 */
export function describeCoefficients(
  values: Float32Array,
  { payloads, ...energies }: CoefficientFragments,
): EncodedFragments {
  const energy = energies.added.reduce((sum, gain) => sum + gain, 0);
  assertTransformable(values, energy);
  return { payloads, ...describeEnergies(energy, energies), minimumFragments: 1 };
}

/** The coefficients that have arrived. */
export interface CoefficientStore {
  /**
   * Takes a fragment that has not been added before; may keep the payload.
   * @throws FormatError when it is malformed or belongs to another tensor; the store stays as it was
   */
  add(index: number, payload: Uint8Array): void;
  /** Number of coefficients whose position is known. */
  readonly placed: number;
  /** Their energy. */
  readonly energy: number;
  /**
   * All coefficients in raster order, 0 for those that are missing. Valid until the next call.
   * @param scratch memory for all coefficients, which the store may use
   */
  coefficients(scratch: Float32Array): Stretches;
}

/** Without coefficients, and where all are zero, there is nothing to transform. */
export function hasEnergy<S extends Pick<CoefficientStore, 'energy'>>(store: S | undefined): store is S {
  return store !== undefined && store.energy > 0;
}

/** The cost of the inverse transform, and of bringing the coefficients into their order. */
export function transformCost(
  { rows, cols }: DecodeRequest,
  store: Pick<CoefficientStore, 'energy'> | undefined,
): Cost {
  if (!hasEnergy(store)) return NO_COST;
  const { bytes, steps } = dctCost(rows, cols);
  return { bytes, steps: steps + 8 * rows * cols };
}

/** @param store undefined before the first fragment */
export function coefficientQuality(
  { rows, cols, norm }: DecodeRequest,
  store: Pick<CoefficientStore, 'placed' | 'energy'> | undefined,
): EncodingQuality {
  const fraction = rows * cols === 0 ? 1 : (store?.placed ?? 0) / (rows * cols);
  return projectionQuality(fraction, store?.energy ?? 0, norm);
}

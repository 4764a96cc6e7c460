import type { Stretches } from '../../kernels/dct/interface.js';
import type { FragmentEnergies } from '../fragmentEnergies.js';

/** Coefficients of an orthogonal transform, cut into fragments. */
export interface CoefficientFragments extends FragmentEnergies {
  readonly payloads: readonly Uint8Array[];
}

/** The coefficients that have arrived. */
export interface CoefficientStore {
  /**
   * Takes a fragment that has not been added before; may keep the payload.
   * @throws FormatError when it is malformed or belongs to another tensor; the store stays as it was
   */
  add(index: number, payload: Uint8Array): void;
  /** How many coefficients can be placed. */
  readonly placed: number;
  /** Their energy. */
  readonly energy: number;
  /**
   * All coefficients in raster order, 0 for those that are missing, to be transformed at once.
   * @param scratch may be used for them: one place a coefficient
   */
  coefficients(scratch: Float32Array): Stretches;
}

import type { FragmentEnergies } from './worth.js';

/** Coefficients of an orthogonal transform, cut into fragments. */
export interface CoefficientFragments extends FragmentEnergies {
  readonly payloads: readonly Uint8Array[];
}

/** The coefficients that have arrived. */
export interface CoefficientStore {
  /**
   * Takes a fragment that has not been added before; keeps no reference to the payload.
   * @throws FormatError when it is malformed or belongs to another tensor; the store stays as it was
   */
  add(index: number, payload: Uint8Array): void;
  /** How many coefficients can be placed. */
  readonly placed: number;
  /** Their energy. */
  readonly energy: number;
  /** Writes all coefficients in raster order, 0 for those that are missing. */
  fill(out: Float32Array): void;
}

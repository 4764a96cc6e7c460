import { oneOf, type Rules } from '../../checks/options.js';

/** How a tensor is solved for from Gaussian projections. */
export interface GaussianDecodeOptions {
  /**
   * 'backprojection' (the default) is what the reference does: x_i = Σ P_ji y_j / Σ P_ji², cosine 0.7 at best.
   * 'least-squares' solves for the shortest x with P x = y, exact with at least as many rows as elements; it draws
   * all rows again for each of about 2n iterations.
   */
  readonly solver?: 'backprojection' | 'least-squares' | undefined;
}

export const GAUSSIAN_DECODE_RULES: Rules<GaussianDecodeOptions> = {
  solver: /* @__PURE__ */ oneOf(['backprojection', 'least-squares']),
};

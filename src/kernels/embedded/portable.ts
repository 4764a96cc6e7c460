import type { EmbeddedKernels } from './interface.js';
import { placeWeights } from './portable/magnitudes.js';
import { decodeSteps } from './portable/planes.js';
import { decodeRemainder } from './portable/remainder.js';
import { inOrder } from './tile.js';

export const portableEmbedded: { readonly embedded: EmbeddedKernels } = {
  embedded: {
    decodeSteps,
    decodeRemainder: (bits, tile, out, parts) =>
      inOrder(parts, out, (sorted) => decodeRemainder(bits, tile, sorted)),
    placeWeights: (planes, state, place, out, parts) =>
      inOrder(parts, out, (sorted) => placeWeights(planes, state, place, sorted)),
  },
};

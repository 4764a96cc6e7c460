import type { EmbeddedKernels } from './interface.js';
import { placeWeights } from './portable/magnitudes.js';
import { decodePlanes, decodeSigns } from './portable/planes.js';
import { decodeRemainder } from './portable/remainder.js';
import { restoreOrder } from './portable/restoreOrder.js';

export const portableEmbedded: { readonly embedded: EmbeddedKernels } = {
  embedded: {
    decodePlanes,
    decodeSigns,
    decodeRemainder,
    placeWeights,
    restoreOrder,
  },
};

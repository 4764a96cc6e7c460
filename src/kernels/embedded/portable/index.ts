import type { EmbeddedKernels } from '../interface.js';
import { placeWeights } from './placeWeights.js';
import { decodePlanes, decodeSigns } from './planes.js';
import { decodeRemainder } from './remainder.js';

export const portableEmbedded: EmbeddedKernels = {
  decodePlanes,
  decodeSigns,
  decodeRemainder,
  placeWeights,
};

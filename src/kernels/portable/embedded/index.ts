import type { EmbeddedKernels } from '../../embedded.js';
import { placeWeights } from './placeWeights.js';
import { decodePlanes, decodeSigns, encodeTile } from './planes.js';
import { decodeRemainder, encodeRemainder } from './remainder.js';
import { surveyTile } from './survey.js';

export const portableEmbedded: EmbeddedKernels = {
  decodePlanes,
  decodeSigns,
  decodeRemainder,
  placeWeights,
  surveyTile,
  encodeTile,
  encodeRemainder,
};

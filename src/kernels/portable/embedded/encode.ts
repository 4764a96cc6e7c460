import type { EmbeddedEncodeKernels } from '../../embedded.js';
import { encodeTile } from './encodeTile.js';
import { encodeRemainder } from './remainder.js';
import { surveyTile } from './survey.js';

export const portableEmbeddedEncode: EmbeddedEncodeKernels = { surveyTile, encodeTile, encodeRemainder };

import type { EmbeddedEncodeKernels } from '../interface.js';
import { encodeTile } from './encodeTile.js';
import { encodeRemainder } from './remainder.js';
import { surveyTile } from './survey.js';

export const portableEmbeddedEncode: EmbeddedEncodeKernels = { surveyTile, encodeTile, encodeRemainder };

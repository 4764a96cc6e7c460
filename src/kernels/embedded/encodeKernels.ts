import type { Kernels } from '../kernels.js';
import { forEncoding } from '../runtime/encodeKernels.js';
import type { EmbeddedEncodeKernels } from './interface.js';
import { encodeTile } from './portable/encodeTile.js';
import { encodeRemainder } from './portable/remainder.js';
import { surveyTile } from './portable/survey.js';
import { wasmEmbeddedEncode } from './wasm/encode.js';

const portableEmbeddedEncode: EmbeddedEncodeKernels = { surveyTile, encodeTile, encodeRemainder };

export function embeddedEncodeKernels(kernels: Pick<Kernels, 'implementation'>): EmbeddedEncodeKernels {
  return forEncoding(kernels, portableEmbeddedEncode, wasmEmbeddedEncode);
}

import type { Kernels } from '../kernels.js';
import { forEncoding } from '../runtime/encodeKernels.js';
import type { EmbeddedEncodeKernels } from './interface.js';
import { encodeTile } from './portable/encodeTile.js';
import { groupChanges } from './portable/groupChanges.js';
import { countTiles } from './portable/survey.js';
import { surveyRows } from './portable/weights.js';
import { sortedPatterns } from './survey.js';
import { wasmEmbeddedEncode } from './wasm/encode.js';

const portableEmbeddedEncode: EmbeddedEncodeKernels = {
  surveyRows,
  countTiles,
  sortTile: (tile) => sortedPatterns(tile),
  groupChanges,
  encodeTile,
};

export function embeddedEncodeKernels(kernels: Pick<Kernels, 'implementation'>): EmbeddedEncodeKernels {
  return forEncoding(kernels, portableEmbeddedEncode, wasmEmbeddedEncode);
}

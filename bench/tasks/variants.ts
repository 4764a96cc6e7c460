import type { EncodeModelFileOptions } from '../../models/file/encodeOptions.js';

/** Ways to make a model file that are compared. */
export const VARIANTS = {
  default: {},
  elements: { order: 'elements' },
  spectral: { encode: { encoding: 'spectral' } },
} as const satisfies Record<string, EncodeModelFileOptions>;

export type Variant = keyof typeof VARIANTS;

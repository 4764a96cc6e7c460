/** The table of encodings: a new one is a file and a line here. */

import { embedded } from './embedded/embedded.js';
import { byEncoding, type Encoding, type HolographicEncoding } from './encoding.js';
import { lowRank } from './lowRank/lowRank.js';
import { randomProjection } from './randomProjection/randomProjection.js';
import { spectral } from './spectral/spectral.js';

/** Every encoding of this build, by name. */
export const ENCODINGS = {
  spectral,
  'random-projection': randomProjection,
  'low-rank': lowRank,
  embedded,
} satisfies { readonly [E in HolographicEncoding]: Encoding };

type Encodings = typeof ENCODINGS;

/** The options of an encoding's encoder, beside the common ones. */
export type EncodeOptionsOf<E extends HolographicEncoding> = Parameters<Encodings[E]['encode']>[1];

/** @throws ArgumentError */
export function encodingByName(name: HolographicEncoding): Encoding {
  return byEncoding<Encoding>(ENCODINGS, name);
}

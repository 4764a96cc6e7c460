/** The table of encodings: a new one is a file and a line here. */

import { FormatError, UnsupportedError } from '../errors.js';
import { embedded } from './embedded/embedded.js';
import type { Encoding, HolographicEncoding } from './encoding.js';
import { lowRank } from './lowRank.js';
import { randomProjection } from './randomProjection.js';
import { spectral } from './spectral.js';

export * from './embedded/decoder.js';
export * from './embedded/embedded.js';
export * from './encoding.js';
export * from './finite.js';
export * from './lowRank.js';
export * from './randomProjection.js';
export * from './spectral.js';

/** Every encoding of this build, by name. */
export const ENCODINGS = {
  spectral,
  'random-projection': randomProjection,
  'low-rank': lowRank,
  embedded,
} satisfies { readonly [E in HolographicEncoding]: Encoding };

type Encodings = typeof ENCODINGS;

/** The options that an encoding's encoder takes beside what all have in common. */
export type EncodeOptionsOf<E extends HolographicEncoding> = E extends keyof Encodings
  ? Parameters<Encodings[E]['encode']>[1]
  : object;

/** The options that an encoding's decoder takes. */
export type DecodeOptionsOf<E extends HolographicEncoding> = E extends keyof Encodings
  ? Parameters<Encodings[E]['createDecoder']>[1]
  : object;

export function encodingByName(name: HolographicEncoding): Encoding {
  const encoding = (ENCODINGS as Partial<Record<HolographicEncoding, Encoding>>)[name];
  if (encoding === undefined) {
    throw new UnsupportedError('no such encoding', { expected: Object.keys(ENCODINGS), actual: name });
  }
  return encoding;
}

/** @throws FormatError for a code that no encoding has */
export function encodingByCode(code: number, offset?: number): Encoding {
  const encoding = Object.values<Encoding>(ENCODINGS).find((candidate) => candidate.code === code);
  if (encoding === undefined) {
    throw new FormatError('unknown encoding code', {
      offset,
      expected: Object.values<Encoding>(ENCODINGS).map((known) => `${known.code} (${known.name})`),
      actual: code,
    });
  }
  return encoding;
}

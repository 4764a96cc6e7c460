/** The table of what can be decoded, apart from that of encodings: decoding alone needs a fraction of the code. */

import { FormatError, UnsupportedError } from '../errors.js';
import { embeddedDecoding } from './embedded/embedded.js';
import type { Decoding, HolographicEncoding } from './encoding.js';
import { lowRankDecoding } from './lowRank/lowRank.js';
import { randomProjectionDecoding } from './randomProjection/randomProjection.js';
import { spectralDecoding } from './spectral/spectral.js';

/** Every encoding that this build can decode, by name. */
export const DECODINGS = {
  spectral: spectralDecoding,
  'random-projection': randomProjectionDecoding,
  'low-rank': lowRankDecoding,
  embedded: embeddedDecoding,
} satisfies { readonly [E in HolographicEncoding]: Decoding };

/** The options that an encoding's decoder takes. */
export type DecodeOptionsOf<E extends HolographicEncoding> = Parameters<
  (typeof DECODINGS)[E]['createDecoder']
>[1];

/** @throws UnsupportedError */
export function decodingByName(name: HolographicEncoding): Decoding {
  return byName<Decoding>(DECODINGS, name);
}

/** @throws FormatError for a code that no encoding has */
export function decodingByCode(code: number, offset?: number): Decoding {
  const all = Object.values<Decoding>(DECODINGS);
  const decoding = all.find((candidate) => candidate.code === code);
  if (decoding === undefined) {
    throw new FormatError('unknown encoding code', {
      offset,
      expected: all.map((known) => `${known.code} (${known.name})`),
      actual: code,
    });
  }
  return decoding;
}

/** A line of a table whose name may come from outside. */
export function byName<T>(table: Readonly<Record<HolographicEncoding, T>>, name: HolographicEncoding): T {
  if (Object.hasOwn(table, name)) return table[name];
  throw new UnsupportedError('no such encoding', { expected: Object.keys(table), actual: name });
}

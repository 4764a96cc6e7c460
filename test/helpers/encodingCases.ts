import { embedded } from '../../src/encodings/embedded/embedded.js';
import type { Encoding } from '../../src/encodings/encoding.js';
import { lowRank } from '../../src/encodings/lowRank/lowRank.js';
import { randomProjection } from '../../src/encodings/randomProjection/randomProjection.js';
import { spectral } from '../../src/encodings/spectral/spectral.js';

/** An encoding with one set of its options. */
export interface EncodingCase {
  readonly name: string;
  readonly encoding: Encoding;
  readonly options: object;
  /** All fragments together give the tensor, within rounding. */
  readonly exact: boolean;
}

/** Cases whose decoders report the true quality. */
export const ENCODING_CASES: readonly EncodingCase[] = [
  { name: 'spectral, raster', encoding: spectral, options: { layout: 'raster' }, exact: true },
  { name: 'spectral, ranked', encoding: spectral, options: { layout: 'ranked' }, exact: true },
  { name: 'spectral, essential', encoding: spectral, options: { layout: 'essential' }, exact: true },
  { name: 'random projection', encoding: randomProjection, options: {}, exact: true },
  { name: 'low rank, with residual', encoding: lowRank, options: { rank: 24, residual: true }, exact: true },
  {
    name: 'low rank, interleaved',
    encoding: lowRank,
    options: { rank: 24, layout: 'interleaved' },
    exact: false,
  },
  { name: 'embedded', encoding: embedded, options: {}, exact: true },
];

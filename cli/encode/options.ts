import type { CompressionAlgorithm } from '../../src/codecs/codec.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import type { DType } from '../../src/tensor/dtype.js';

/** As they stand on the command line; which of them apply depends on the output. */
export interface EncodeOptions {
  readonly output: string;
  readonly tensor?: string;
  readonly dtype?: DType;
  readonly shape?: readonly number[];
  readonly algorithm?: CompressionAlgorithm;
  readonly level?: number;
  readonly hctVersion?: '1' | '2';
  readonly blockSize?: number;
  readonly blockChecksums: boolean;
  readonly encoding?: HolographicEncoding;
  readonly fragments?: number;
  readonly qualities?: readonly (number | 'exact')[];
  readonly layout?: 'raster' | 'ranked' | 'essential' | 'sequential' | 'interleaved';
  readonly rank?: number;
  readonly residual?: true;
  readonly seed?: bigint;
  readonly keep?: readonly RegExp[];
  readonly resume?: true;
}

export type EncodeOptionName = Exclude<keyof EncodeOptions, 'output'>;

/** hctVersion → --hct-version */
export function flagOf(name: EncodeOptionName): string {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === 'blockChecksums' ? `--no-${kebab}` : `--${kebab}`;
}

import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import type { HoloTensorEncoderOptions } from '../../src/holotensor/encoder.js';
import { UsageError } from '../failure.js';
import { type EncodeOptions, flagOf } from '../options.js';

const LAYOUTS = {
  spectral: ['raster', 'ranked', 'essential'],
  'low-rank': ['sequential', 'interleaved'],
} as const;

/** Options that only some encodings have. */
const OWN_OPTIONS: Readonly<Record<HolographicEncoding, readonly (keyof EncodeOptions)[]>> = {
  embedded: ['qualities'],
  spectral: ['layout'],
  'random-projection': [],
  'low-rank': ['layout', 'rank', 'residual'],
};

/** Whether Ctrl-C would wait for a tensor of this size, or a model, if the main thread encoded it. */
export function takesLong(encoding: HolographicEncoding, byteLength: number): boolean {
  return byteLength >= (encoding === 'embedded' ? 2 ** 23 : 2 ** 20);
}

/** The options that this encoding has. @throws UsageError for those of others */
export function encoderOptions(
  encoding: HolographicEncoding,
  options: EncodeOptions,
): HoloTensorEncoderOptions {
  for (const name of ['qualities', 'layout', 'rank', 'residual'] as const) {
    if (options[name] !== undefined && !OWN_OPTIONS[encoding].includes(name)) {
      throw new UsageError(`${flagOf(name)} does not apply to --encoding ${encoding}`);
    }
  }
  const { fragments, qualities, layout, rank, residual, seed } = options;
  if (fragments !== undefined && qualities !== undefined) {
    throw new UsageError('--fragments and --qualities exclude each other');
  }
  if (encoding === 'low-rank') {
    return { fragments, seed, rank, residual, layout: layoutOf(encoding, layout) };
  }
  if (encoding === 'spectral') return { fragments, seed, layout: layoutOf(encoding, layout) };
  return { fragments, seed, qualities };
}

function layoutOf<E extends keyof typeof LAYOUTS>(
  encoding: E,
  layout: string | undefined,
): (typeof LAYOUTS)[E][number] | undefined {
  if (layout === undefined) return undefined;
  const allowed: readonly (typeof LAYOUTS)[E][number][] = LAYOUTS[encoding];
  const found = allowed.find((name) => name === layout);
  if (found === undefined) {
    throw new UsageError(`--layout for --encoding ${encoding} must be one of ${allowed.join(', ')}`);
  }
  return found;
}

import { askedFragments } from '../../models/file/encodeTensor.js';
import { writeHoloTensor } from '../../sinks/holotensorFile.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ArgumentError } from '../../src/errors.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../../src/holotensor/encoder.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { DataError, UsageError } from '../failure.js';
import { clearLeftovers } from '../files.js';
import { type EncodeOptions, flagOf } from '../options.js';
import { startProgress } from '../progress.js';
import { collectInput, openTensor } from '../tensorInput.js';
import { tell } from '../terminal.js';

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

/** Encodes one tensor to a HoloTensor file. */
export async function encodeHoloTensor(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, encoding = 'embedded', algorithm, level } = options;
  const own = encoderOptions(encoding, options);
  await using opened = await openTensor(names, options, { signal });
  using progress = startProgress('reading', opened.byteLength);
  try {
    const tensor = await collectInput(opened, progress);
    await clearLeftovers(output);
    const encoder = new HoloTensorEncoder(encoding, { ...own, kernels: await loadKernels() });
    const { header, fragments } = encoder.encodeTensor(tensor);
    await writeHoloTensor(output, header, fragments, { compression: algorithm, level, signal });
    const asked = askedFragments(own) ?? 0;
    if (fragments.length < asked)
      tell(`${fragments.length} fragments, not ${asked}: the tensor is too small for more`);
  } catch (error) {
    // The options have been checked: what an encoder refuses now is the tensor (its rank, a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
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

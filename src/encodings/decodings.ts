import type { Soon } from '../async/after.js';
import { loadOnce } from '../async/loadOnce.js';
import { check, listOf } from '../checks/options.js';
import type { KernelSubject, Kernels } from '../kernels/kernels.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { DType } from '../tensor/dtype.js';
import { byEncoding, type Decoding, ENCODING_NAME, type HolographicEncoding } from './encoding.js';
import { isDtypeLoaded, loadDtype } from './otherDtypes.js';

/** The properties of an encoding that are known before its decoder is loaded. */
interface DecodingEntry<DecodeOptions extends object, S extends KernelSubject> {
  /** The kernels of its decoder. */
  readonly kernels: readonly S[];
  /** What it computes with, too, if a tensor is of F16: most are not. */
  readonly f16Kernels?: readonly KernelSubject[];
  readonly load: () => Promise<Decoding<DecodeOptions, S>>;
}

/** Makes the compiler check that the kernels are those of the decoder. */
function entry<DecodeOptions extends object, S extends KernelSubject>(
  line: DecodingEntry<DecodeOptions, S>,
): DecodingEntry<DecodeOptions, S> {
  return line;
}

/** Every encoding that this build can decode. Decoders are loaded when they are needed. */
export const DECODINGS = {
  spectral: /* @__PURE__ */ entry({
    kernels: ['dct'],
    load: () => import('./spectral/decoder.js').then(({ spectralDecoding }) => spectralDecoding),
  }),
  'random-projection': /* @__PURE__ */ entry({
    kernels: ['dct', 'gaussian'],
    load: () =>
      import('./randomProjection/decoder.js').then(
        ({ randomProjectionDecoding }) => randomProjectionDecoding,
      ),
  }),
  'low-rank': /* @__PURE__ */ entry({
    kernels: ['linear'],
    load: () => import('./lowRank/decoder.js').then(({ lowRankDecoding }) => lowRankDecoding),
  }),
  embedded: /* @__PURE__ */ entry({
    kernels: ['embedded'],
    f16Kernels: ['float'],
    load: () => import('./embedded/decoder.js').then(({ embeddedDecoding }) => embeddedDecoding),
  }),
} satisfies { readonly [E in HolographicEncoding]: object };

/** The options that an encoding's decoder takes. */
export type DecodeOptionsOf<E extends HolographicEncoding> = Parameters<
  Awaited<ReturnType<(typeof DECODINGS)[E]['load']>>['createDecoder']
>[1];

interface LoadedDecoding {
  readonly createDecoder: Decoding['createDecoder'];
  readonly kernels: Kernels;
}

const loading = new Map<HolographicEncoding, Promise<void>>();
const loaded = new Map<HolographicEncoding, LoadedDecoding>();

/**
 * Loads the decoders of these encodings, or of all, and the fastest kernels for them. Asynchronous APIs do so
 * automatically. Synchronous programs call it once: from then on, `new HoloTensorDecoder(header)` works.
 *
 * @example
 * await loadDecodings(['spectral']);
 *
 * @throws ArgumentError for an unknown encoding
 */
export async function loadDecodings(
  names: readonly HolographicEncoding[] = Object.keys(DECODINGS) as HolographicEncoding[],
): Promise<void> {
  check('names', names, listOf(ENCODING_NAME));
  const decodings = names.map((encoding) => loadDecodingOf({ encoding, dtype: 'F16' }));
  await Promise.all([...decodings, loadDtype('I8')]);
}

interface EncodedTensor {
  readonly encoding: HolographicEncoding;
  readonly dtype: DType;
}

/** Loads what decodes one tensor. Of many small ones, promises would take longer than to decode them. */
export function loadDecodingOf({ encoding, dtype }: EncodedTensor): Soon<unknown> {
  if (loaded.has(encoding) && isDtypeLoaded(dtype) && dtype !== 'F16') return;
  const { f16Kernels = [], ...entry } = byEncoding<DecodingEntry<object, KernelSubject>>(DECODINGS, encoding);
  return Promise.all([
    loadOnce(loading, encoding, async () => {
      const [{ createDecoder }, kernels] = await Promise.all([entry.load(), loadKernels(entry.kernels)]);
      loaded.set(encoding, { createDecoder, kernels: kernels as Kernels });
    }),
    dtype === 'F16' ? loadKernels(f16Kernels) : undefined,
    loadDtype(dtype),
  ]);
}

/** Undefined until `loadDecodings` has loaded it. */
export function loadedDecoding(name: HolographicEncoding): LoadedDecoding | undefined {
  return loaded.get(name);
}

import { concatenate } from '../bytes/binary.js';
import {
  check,
  checkOptions,
  having,
  listOf,
  type Rule,
  type Rules,
  wholeNumber,
} from '../checks/options.js';
import { record } from '../checks/rules.js';
import { COMPRESS_RULES, type Codec, type CompressOptions } from '../codecs/codec.js';
import { ArgumentError, LimitError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import { serializeQuantizationMetadata } from '../tensor/serializeQuantization.js';
import { typedArray } from '../tensor/tensor.js';
import { FRAGMENT_FLAGS, HOLO_FLAG_FRAGMENT_CHECKSUMS, HOLO_MAX_DATA_BYTES } from './constants.js';
import type { FragmentIndexEntry, HoloFragment } from './fragment.js';
import { fragmentCount, type HoloTensorHeader } from './header.js';
import { HOLO_HEADER, serializeFragmentIndexEntry, serializeHoloTensorHeader } from './serializeHeader.js';

/** How fragments are compressed in a file. */
export interface PackOptions extends CompressOptions {
  /** Compresses the fragments that it makes smaller. Without it, all are stored as they are. */
  readonly codec?: Codec | undefined;
  readonly kernels: Pick<Kernels, 'xxh3'>;
}

const RULES: Rules<PackOptions> = {
  ...COMPRESS_RULES,
  codec: /* @__PURE__ */ having<Codec>('compress', "a codec, such as await loadCodec('zstd')"),
  kernels: /* @__PURE__ */ having<Pick<Kernels, 'xxh3'>>(
    'xxh3',
    "kernels, such as await loadKernels(['xxh3'])",
  ),
};

const FRAGMENTS: Rule<readonly HoloFragment[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record({
    index: /* @__PURE__ */ wholeNumber(),
    data: /* @__PURE__ */ typedArray<Uint8Array>('Uint8Array'),
  }),
);

/**
 * A whole file in consecutive pieces: header and index, then the fragments as stored.
 * @throws LimitError when the fragments together take more than the 4 GiB that an index can address; ArgumentError
 *   when they are not those that the header says
 */
export function packHoloTensor(
  header: HoloTensorHeader,
  fragments: readonly HoloFragment[],
  options: PackOptions,
): Uint8Array[] {
  const { codec, kernels } = checkOptions(options, RULES);
  check('kernels', kernels, RULES.kernels);
  checkFragments(header, fragments);
  const checksums = (header.flags & HOLO_FLAG_FRAGMENT_CHECKSUMS) !== 0;
  const entries: PackedFragment[] = [];
  const payloads: Uint8Array[] = [];
  for (const { index, data } of fragments) {
    const { flags, stored } = compressFragment(data, options);
    entries.push({
      index,
      flags,
      compressedSize: stored.length,
      uncompressedSize: data.length,
      checksum: checksums ? kernels.xxh3(stored) : 0n,
    });
    payloads.push(stored);
  }
  return [packFront(header, entries, codec), ...payloads];
}

/** What the index of a file says of a fragment, but for its place, which is behind those before it. */
export type PackedFragment = Omit<FragmentIndexEntry, 'offset'>;

/**
 * All of a file that is before its fragments.
 * @throws LimitError as {@link packHoloTensor}
 */
export function packFront(
  header: HoloTensorHeader,
  fragments: readonly PackedFragment[],
  codec: Pick<Codec, 'algorithm'> | undefined,
): Uint8Array {
  let offset = 0;
  const entries = fragments.map((fragment) => {
    const entry = { ...fragment, offset };
    offset += fragment.compressedSize;
    if (offset <= HOLO_MAX_DATA_BYTES) return serializeFragmentIndexEntry(entry);
    throw new LimitError('Cannot write the HoloTensor file: its fragments take 4 GiB or more', {
      fragmentIndex: fragment.index,
      expected: `at most ${HOLO_MAX_DATA_BYTES}`,
      actual: offset,
    });
  });
  return concatenate([
    serializeHoloTensorHeader(codec === undefined ? header : { ...header, compression: codec.algorithm }),
    ...(header.quantization === undefined ? [] : [serializeQuantizationMetadata(header.quantization)]),
    ...entries,
  ]);
}

function checkFragments(header: HoloTensorHeader, fragments: readonly HoloFragment[]): void {
  check('header', header, HOLO_HEADER);
  check('fragments', fragments, FRAGMENTS);
  const total = fragmentCount(header);
  const numbers = new Set(fragments.map(({ index }) => index));
  const wrong = fragments.find(({ index }) => index >= total);
  if (wrong !== undefined) {
    throw new ArgumentError('Cannot write the HoloTensor file: its header has no such fragment', {
      expected: `0 to ${total - 1}`,
      actual: wrong.index,
    });
  }
  if (fragments.length === total && numbers.size === total) return;
  throw new ArgumentError('Cannot write the HoloTensor file: it holds each fragment exactly once', {
    expected: total,
    actual: fragments.length,
  });
}

/** Payloads of this size and more are sampled before they are compressed. */
const MIN_SAMPLED_BYTES = 2 ** 17;
const SAMPLES = 4;
const SAMPLE_BYTES = 2 ** 14;

/** If samples stay larger than this share of themselves, the rest is not compressed: the time would gain nothing. */
const MAX_COMPRESSED_SHARE = 0.995;

/** A fragment as it is stored: compressed, if that makes it smaller. */
export function compressFragment(
  data: Uint8Array,
  { codec, level }: Omit<PackOptions, 'kernels'>,
): { readonly flags: number; readonly stored: Uint8Array } {
  const asItIs = { flags: 0, stored: data };
  if (codec === undefined) return asItIs;
  const samples = samplesOf(data.length);
  if (samples.length > 0) {
    // What an encoding has coded by entropy shrinks nowhere.
    const sample = concatenate(samples.map(({ start, end }) => data.subarray(start, end)));
    if (!isCompressible(sample, codec, level)) return asItIs;
  }
  const smaller = codec.compress(data, { level });
  return smaller.length < data.length ? { flags: FRAGMENT_FLAGS[codec.algorithm], stored: smaller } : asItIs;
}

/** By which pieces it is decided whether a fragment is compressed: from its start to its end, evenly spaced; of a small one none. */
export function samplesOf(length: number): { readonly start: number; readonly end: number }[] {
  if (length < MIN_SAMPLED_BYTES) return [];
  const step = Math.floor((length - SAMPLE_BYTES) / (SAMPLES - 1));
  return Array.from({ length: SAMPLES }, (_, i) => ({ start: i * step, end: i * step + SAMPLE_BYTES }));
}

/** @param sample the pieces of `samplesOf`, joined */
export function isCompressible(sample: Uint8Array, codec: Codec, level?: number | undefined): boolean {
  return codec.compress(sample, { level }).length <= MAX_COMPRESSED_SHARE * sample.length;
}

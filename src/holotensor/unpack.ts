import { after, type Soon } from '../async/after.js';
import { inTurns, type Steps } from '../async/steps.js';
import type { AbortOptions } from '../checks/abortOptions.js';
import {
  type AllLimits,
  allocating,
  Budget,
  LIMIT_RULES,
  type LimitsOption,
  limitsOf,
} from '../checks/limits.js';
import { flag, type Rules } from '../checks/options.js';
import {
  type BlockDecoder,
  COMPRESSION_ALGORITHMS,
  type CompressionAlgorithm,
  IMPLEMENTATION,
  type Implementation,
} from '../codecs/codec.js';
import { loadDecoder } from '../codecs/loadDecoder.js';
import { placed } from '../errors/placed.js';
import { ChecksumError, CodecError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import { elementCount } from '../tensor/dtype.js';
import { FRAGMENT_FLAGS, HOLO_FLAG_FRAGMENT_CHECKSUMS } from './constants.js';
import {
  checkFragmentBytes,
  type FragmentIndexEntry,
  maxFragmentBytes,
  type ReceivedFragment,
  type StoredFragment,
} from './fragment.js';

export interface UnpackOptions extends LimitsOption {
  /** Which implementation of the codecs to use. Default 'auto': the fastest that the engine offers. */
  readonly implementation?: Implementation | undefined;
  /** Check the checksums of fragments, if the file has them. Default true. */
  readonly verify?: boolean | undefined;
}

export const UNPACK_RULES: Rules<UnpackOptions> = {
  ...LIMIT_RULES,
  implementation: IMPLEMENTATION,
  verify: flag,
};

/** Verifies stored fragments and decompresses them to payloads, with codecs that are loaded on demand. */
export class FragmentUnpacker {
  readonly #options: UnpackOptions;
  readonly #kernels: Kernels<'xxh3'>;

  constructor(kernels: Kernels<'xxh3'>, options: UnpackOptions = {}) {
    this.#kernels = kernels;
    this.#options = options;
  }

  /**
   * At once where the fragment is not long, and not compressed.
   * @throws ChecksumError, CodecError, LimitError that name the fragment
   */
  unpack(fragment: StoredFragment, { signal }: AbortOptions = {}): Soon<ReceivedFragment> {
    const verified = this.#options.verify === false || inTurns(verifying(fragment, this.#kernels), signal);
    return after(verified, () => this.#decompress(fragment));
  }

  #decompress(fragment: StoredFragment): Soon<ReceivedFragment> {
    const { header, entry, stored } = fragment;
    const algorithm = fragmentAlgorithm(entry);
    return algorithm === undefined
      ? { index: entry.index, data: stored, header, entry }
      : this.#decompressBy(algorithm, fragment);
  }

  async #decompressBy(algorithm: CompressionAlgorithm, fragment: StoredFragment): Promise<ReceivedFragment> {
    const { header, entry } = fragment;
    const largestBlock = entry.uncompressedSize;
    const codec = await loadDecoder(algorithm, { ...this.#options, largestBlock });
    const data = decompress(fragment, codec, limitsOf(this.#options));
    return { index: entry.index, data, header, entry };
  }
}

/** How the fragment is compressed; undefined when it is not compressed. */
export function fragmentAlgorithm({
  flags,
}: Pick<FragmentIndexEntry, 'flags'>): CompressionAlgorithm | undefined {
  // Of small tensors, most are not: to go through the algorithms takes longer.
  return flags === 0
    ? undefined
    : COMPRESSION_ALGORITHMS.find((algorithm) => (flags & FRAGMENT_FLAGS[algorithm]) !== 0);
}

/**
 * Compares a fragment with its checksum.
 * @returns false when the file has no checksum for this fragment
 * @throws ChecksumError
 */
export function* verifying(
  { header, entry, stored }: StoredFragment,
  kernels: Pick<Kernels, 'hashing'>,
): Steps<boolean> {
  const { checksum: expected, index: fragmentIndex } = entry;
  if ((header.flags & HOLO_FLAG_FRAGMENT_CHECKSUMS) === 0 && expected === 0n) return false;
  const actual = yield* kernels.hashing(stored);
  if (actual !== expected) {
    throw new ChecksumError('Cannot use the HoloTensor fragment: wrong checksum', {
      fragmentIndex,
      expected,
      actual,
    });
  }
  return true;
}

function decompress(
  { header, entry, stored }: StoredFragment,
  codec: BlockDecoder,
  limits: AllLimits,
): Uint8Array {
  try {
    const size = payloadSize(entry, stored, codec, maxFragmentBytes(elementCount(header.shape)));
    checkFragmentBytes(limits, entry.index, size);
    new Budget(limits, stored.length).check({ bytes: size, steps: 0 });
    const data = allocating(() => new Uint8Array(size));
    codec.decompressInto(stored, data);
    return data;
  } catch (error) {
    throw placed(error, CodecError, { fragmentIndex: entry.index });
  }
}

/**
 * Files of the reference whose fragments another tool has compressed repeat the stored size in place of the payload's;
 * the Zstd frame then has the true one.
 */
function payloadSize(
  { compressedSize, uncompressedSize }: FragmentIndexEntry,
  stored: Uint8Array,
  codec: BlockDecoder,
  most: number,
): number {
  if (uncompressedSize !== compressedSize) return uncompressedSize;
  const size = codec.contentSize?.(stored) ?? uncompressedSize;
  if (size > most)
    throw new CodecError('Cannot decode the Zstd frame: the content size is too large', {
      expected: `at most ${most}`,
      actual: size,
    });
  return size;
}

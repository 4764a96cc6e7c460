import type { ByteQueue } from '../bytes/byteQueue.js';
import { Demand, type Grammar, GrammarStage, take } from '../bytes/grammar.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { FormatError, TruncatedError } from '../errors.js';
import { elementCount } from '../tensor/dtype.js';
import { parseQuantizationMetadata, QUANTIZATION_METADATA_SIZE } from '../tensor/quantization.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_FLAG_QUANTIZATION, HOLO_HEADER_SIZE } from './constants.js';
import {
  checkFragmentBytes,
  type FragmentIndexEntry,
  findIndexFault,
  parseFragmentIndex,
  type StoredFragment,
} from './fragment.js';
import { fragmentCount, type HoloTensorHeader, parseHoloTensorHeader } from './header.js';

/** The order of the sections of a HoloTensor file, and the parser that has its bytes pushed. */

/** The bytes of a HoloTensor file, cut anywhere, in; its fragments as stored out, each as soon as its last byte has arrived. */
export class HoloTensorParser extends GrammarStage<StoredFragment> {
  constructor(options?: LimitsOption) {
    const limits = limitsOf(options);
    super('HoloTensor', (queue) => parseHoloTensorFile(queue, limits));
  }
}

function* parseHoloTensorFile(queue: ByteQueue, limits: AllLimits): Grammar<void, StoredFragment> {
  const { header, entries } = yield* parseHoloTensorStart(queue, limits, parseHoloTensorHeader);
  for (const { index, compressedSize } of entries) checkFragmentBytes(limits, index, compressedSize);
  for (const entry of entries) {
    yield new Demand(`fragment ${entry.index}`, entry.compressedSize);
    yield { header, entry, stored: queue.take(entry.compressedSize)! };
  }
}

/** Everything that precedes the fragments, and where they are. */
export interface HoloTensorLayout {
  readonly header: HoloTensorHeader;
  /** In the order in which the fragments are stored: one after another, from `dataStart` on. */
  readonly entries: readonly FragmentIndexEntry[];
  /** Where the first fragment begins, in bytes from the start of the file. */
  readonly dataStart: number;
  /** Bytes of all fragments, as stored. */
  readonly dataLength: number;
}

/**
 * From the first byte of a file to the first of its fragments.
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError
 */
export function* parseHoloTensorStart(
  queue: ByteQueue,
  limits: AllLimits,
  parseHeader: (bytes: Uint8Array) => HoloTensorHeader,
): Grammar<HoloTensorLayout> {
  const header = parseHeader(yield* take(queue, 'header', HOLO_HEADER_SIZE));
  const least = indexSize(header);
  checkLimit(
    limits,
    'fragments',
    fragmentCount(header),
    'Cannot read the HoloTensor index: too many fragments',
  );
  checkLimit(limits, 'headerBytes', least, 'Cannot read the HoloTensor index: it is too long');
  const length = least + (saysQuantization(header) ? QUANTIZATION_METADATA_SIZE : 0);
  yield new Demand('index', length, { least });
  // Without metadata the index is shorter, and what follows belongs to the first fragment: look before taking.
  const layout = parseHoloTensorLayout(header, queue.peek(length));
  queue.skip(layout.dataStart - HOLO_HEADER_SIZE);
  return layout;
}

/**
 * Reads what follows the header. Where the flag announces quantization metadata, the reference does not write it, and
 * holostream does. The layout is the one whose index is valid; if both are, the one with metadata.
 *
 * @param bytes what follows the 96 bytes of the header: index and metadata, or fewer bytes when the file ends there
 * @throws TruncatedError, FormatError
 */
export function parseHoloTensorLayout(header: HoloTensorHeader, bytes: Uint8Array): HoloTensorLayout {
  if (!saysQuantization(header)) return layoutAt(header, bytes, 0);
  try {
    return layoutAt(header, bytes, QUANTIZATION_METADATA_SIZE);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    try {
      return layoutAt(header, bytes, 0);
    } catch {
      throw error;
    }
  }
}

function saysQuantization(header: HoloTensorHeader): boolean {
  return (header.flags & HOLO_FLAG_QUANTIZATION) !== 0;
}

function indexSize(header: HoloTensorHeader): number {
  return FRAGMENT_INDEX_ENTRY_SIZE * fragmentCount(header);
}

/** @param offset where the index begins; before it, there is metadata or nothing */
function layoutAt(header: HoloTensorHeader, bytes: Uint8Array, offset: number): HoloTensorLayout {
  const end = offset + indexSize(header);
  if (bytes.length < end) {
    throw new TruncatedError('Cannot read the HoloTensor file: it ends within its index', {
      offset: HOLO_HEADER_SIZE + bytes.length,
    });
  }
  const quantization = offset === 0 ? undefined : parseQuantizationMetadata(bytes);
  const entries = parseFragmentIndex(bytes.subarray(offset, end), fragmentCount(header));
  const fault = findIndexFault(entries, elementCount(header.shape));
  if (fault !== undefined) throw fault;
  const last = entries.at(-1)!;
  return {
    header: quantization === undefined ? header : { ...header, quantization },
    entries,
    dataStart: HOLO_HEADER_SIZE + end,
    dataLength: last.offset + last.compressedSize,
  };
}

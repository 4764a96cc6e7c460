import { asBytes, assertLength, type BytesLike, viewOf } from '../bytes/binary.js';
import { type AllLimits, checkLimit } from '../checks/limits.js';
import { check, wholeNumber } from '../checks/options.js';
import { FormatError } from '../errors.js';
import { FRAGMENT_FLAG_LZ4, FRAGMENT_FLAG_ZSTD, FRAGMENT_INDEX_ENTRY_SIZE } from './constants.js';
import type { HoloTensorHeader } from './header.js';

/** Where a fragment is and how it is stored. Sizes in bytes. */
export interface FragmentIndexEntry {
  /** Which fragment it is, counted from 0. */
  readonly index: number;
  /** `FRAGMENT_FLAG_…` bits; others are the reference's encodings' own and mean nothing here. */
  readonly flags: number;
  /** From the first byte after the index. */
  readonly offset: number;
  /** As stored. */
  readonly compressedSize: number;
  /** Of the payload. For fragments that another tool has compressed, the reference repeats the stored size here. */
  readonly uncompressedSize: number;
  /** XXH3-64 of the stored bytes. */
  readonly checksum: bigint;
}

/** A part of a tensor: what an encoder makes and a decoder takes. */
export interface HoloFragment {
  /** Which one it is, counted from 0. */
  readonly index: number;
  /** The encoding's payload, not compressed. */
  readonly data: Uint8Array;
}

/** A fragment as a file stores it: neither verified nor decompressed. */
export interface StoredFragment {
  readonly header: HoloTensorHeader;
  readonly entry: FragmentIndexEntry;
  /** A view of the chunk that it came in, if one chunk holds it all. */
  readonly stored: Uint8Array;
}

/** A fragment from a file, verified and decompressed, with the header of the file and its entry in the index. */
export interface ReceivedFragment extends HoloFragment {
  readonly header: HoloTensorHeader;
  readonly entry: FragmentIndexEntry;
}

/** Reads the entry of the fragment index at byte `at` of `input`. */
export function parseFragmentIndexEntry(input: BytesLike, at = 0): FragmentIndexEntry {
  const bytes = asBytes(input);
  check('at', at, wholeNumber());
  assertLength(bytes, FRAGMENT_INDEX_ENTRY_SIZE, 'the entry of the HoloTensor index', at);
  return entryAt(viewOf(bytes), at);
}

function entryAt(view: DataView, at: number): FragmentIndexEntry {
  return {
    index: view.getUint16(at, true),
    flags: view.getUint16(at + 2, true),
    offset: view.getUint32(at + 4, true),
    compressedSize: view.getUint32(at + 8, true),
    uncompressedSize: view.getUint32(at + 12, true),
    checksum: view.getBigUint64(at + 16, true),
  };
}

/** All entries of an index, of which all bytes are there, in the order in which the fragments are stored. */
export function parseFragmentIndex(bytes: Uint8Array, count: number): FragmentIndexEntry[] {
  const view = viewOf(bytes);
  const entries: FragmentIndexEntry[] = [];
  for (let i = 0; i < count; i++) entries.push(entryAt(view, i * FRAGMENT_INDEX_ENTRY_SIZE));
  // An empty fragment begins where the next one does.
  return entries.sort((a, b) => a.offset - b.offset || a.compressedSize - b.compressedSize);
}

/** Room for the headers of fragments of tiny tensors. */
const HEADER_ALLOWANCE = 65536;

/**
 * More than any encoding makes of a tensor of `elements` elements (a value and an index each, or three numbers per
 * element for a full factorization), and room for the headers of small tensors. An index that claims more would make a
 * reader wait for, or allocate, bytes that it cannot need.
 */
export function maxFragmentBytes(elements: number): number {
  return 16 * elements + HEADER_ALLOWANCE;
}

/** @throws LimitError when a fragment is larger than a reader is willing to hold */
export function checkFragmentBytes(limits: AllLimits, fragmentIndex: number, bytes: number): void {
  const beyondHeader = Math.max(0, bytes - HEADER_ALLOWANCE);
  const what = 'Cannot read the HoloTensor fragment: it is too large';
  checkLimit(limits, 'tensorBytes', beyondHeader, what, { fragmentIndex });
}

/**
 * What is wrong with an index whose entries are in the order of their offsets; undefined when nothing is. Valid means:
 * each fragment once, one after another without gaps or overlaps, and with possible sizes.
 */
export function findIndexFault(
  entries: readonly FragmentIndexEntry[],
  elements: number,
): FormatError | undefined {
  const seen = new Uint8Array(entries.length);
  const most = maxFragmentBytes(elements);
  let end = 0;
  for (const entry of entries) {
    const { index, offset, compressedSize, uncompressedSize, flags } = entry;
    if (index >= entries.length)
      return faultOf(index, 'wrong fragment number', `below ${entries.length}`, index);
    if (seen[index] === 1) return faultOf(index, 'a fragment is listed twice', undefined, undefined);
    seen[index] = 1;
    if (offset !== end) return faultOf(index, 'wrong offset', end, offset);
    if (compressedSize > most)
      return faultOf(index, 'the stored size is too large', `at most ${most}`, compressedSize);
    if (uncompressedSize > most)
      return faultOf(index, 'the uncompressed size is too large', `at most ${most}`, uncompressedSize);
    const packed = flags & (FRAGMENT_FLAG_LZ4 | FRAGMENT_FLAG_ZSTD);
    if (packed === (FRAGMENT_FLAG_LZ4 | FRAGMENT_FLAG_ZSTD))
      return faultOf(index, 'an entry has two compression flags', 'at most one', packed);
    if (packed === 0 && uncompressedSize !== compressedSize) {
      return faultOf(
        index,
        'wrong uncompressed size of a fragment without compression',
        compressedSize,
        uncompressedSize,
      );
    }
    end += compressedSize;
  }
  return undefined;
}

function faultOf(fragmentIndex: number, reason: string, expected: unknown, actual: unknown): FormatError {
  return new FormatError(`Cannot read the HoloTensor index: ${reason}`, { fragmentIndex, expected, actual });
}

/** Where a fragment ends, from the first one on. */
export function endOfFragment({ offset, compressedSize }: FragmentIndexEntry): number {
  return offset + compressedSize;
}

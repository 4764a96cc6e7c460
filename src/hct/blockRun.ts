import type { BlockTable } from './blockIndex.js';
import { blockLength, type HctHeader } from './header.js';

/** Runs: blocks that follow each other in a file and are fetched, or decoded by a worker, together. */

export interface BlockOfRun {
  readonly blockIndex: number;
  /** Where it begins in the compressed bytes of the run, and its bytes there. */
  readonly offset: number;
  readonly compressedSize: number;
  /** Bytes of the tensor that it holds. */
  readonly byteLength: number;
  readonly checksum: bigint;
}

export interface PlannedRun {
  readonly blocks: readonly BlockOfRun[];
  /** Their compressed bytes, counted from the first byte of the first block of the file. */
  readonly start: number;
  readonly end: number;
  /** Where the first of them begins in the tensor, and the bytes of the tensor that they hold, all together. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface FetchedRun extends PlannedRun {
  readonly compressed: Uint8Array;
}

/** Largest run, in bytes; a single block may be larger. */
export interface RunLimits {
  readonly maxCompressed?: number | undefined;
  /** Of the tensor. */
  readonly maxBytes: number;
}

/** Blocks `first` to `last` (exclusive) in as few runs as the limits allow, planned on demand. */
export function* planRuns(
  header: HctHeader,
  table: BlockTable,
  { maxCompressed = Number.POSITIVE_INFINITY, maxBytes }: RunLimits,
  first = 0,
  last = header.blockCount,
): Iterable<PlannedRun> {
  for (let next = first; next < last; ) {
    const byteOffset = next * header.blockSize;
    const start = table.entry(next).offset;
    let end = start;
    let byteLength = 0;
    const blocks: BlockOfRun[] = [];
    for (; next < last; next++) {
      const { offset, compressedSize, checksum } = table.entry(next);
      const length = blockLength(header, next);
      const large = offset + compressedSize - start > maxCompressed || byteLength + length > maxBytes;
      if (blocks.length > 0 && large) break;
      end = offset + compressedSize;
      byteLength += length;
      blocks.push({ blockIndex: next, offset: offset - start, compressedSize, byteLength: length, checksum });
    }
    yield { blocks, start, end, byteOffset, byteLength };
  }
}

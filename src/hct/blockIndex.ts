import { asBytes, type BytesLike, viewOf } from '../bytes/binary.js';
import { FormatError } from '../errors.js';
import { FLAG_BLOCK_CHECKSUMS } from './constants.js';
import { blockLength, type HctHeader } from './header.js';

/** An index entry of version 1: where a block is. */
export interface BlockIndex {
  /** From the first byte of the first block. */
  readonly offset: number;
  readonly compressedSize: number;
}

/** An index entry of version 2. */
export interface BlockIndexV2 extends BlockIndex {
  /** XXH3-64 of the compressed block; 0 where none was computed. */
  readonly checksum: bigint;
}

/** Bytes of an entry of the block index in version 1: offset and length. */
export const BLOCK_INDEX_SIZE = 8;
/** Bytes of an entry of the block index in version 2: with a checksum. */
export const BLOCK_INDEX_V2_SIZE = 16;
/** Bytes of an entry of a block index, of either version. */
export type BlockIndexEntrySize = typeof BLOCK_INDEX_SIZE | typeof BLOCK_INDEX_V2_SIZE;

/** The index of a file. Entries are read from its bytes on request. */
export class BlockTable {
  readonly entrySize: BlockIndexEntrySize;
  readonly length: number;
  readonly #view: DataView;

  /** @param bytes all entries, checked by {@link parseBlockTable} */
  constructor(bytes: Uint8Array, entrySize: BlockIndexEntrySize) {
    this.#view = viewOf(bytes);
    this.entrySize = entrySize;
    this.length = bytes.length / entrySize;
  }

  /** @throws RangeError when there is no block `i` */
  entry(i: number): BlockIndexV2 {
    const at = i * this.entrySize;
    return {
      offset: this.#view.getUint32(at, true),
      compressedSize: this.#view.getUint32(at + 4, true),
      checksum: this.entrySize === BLOCK_INDEX_V2_SIZE ? this.#view.getBigUint64(at + 8, true) : 0n,
    };
  }
}

/** Size of the entries, if the header determines it: `undefined` where the reference's reader and writer disagree. */
export function declaredEntrySize(header: HctHeader): BlockIndexEntrySize | undefined {
  if (header.version === 1) return BLOCK_INDEX_SIZE;
  return (header.flags & FLAG_BLOCK_CHECKSUMS) !== 0 ? BLOCK_INDEX_V2_SIZE : undefined;
}

/**
 * Decides between the two layouts of a version 2 file without block checksums: the reference writes 16-byte
 * entries there (checksum 0) and reads 8-byte ones.
 *
 * @param bytes what follows the header (and metadata): at least 8 bytes per entry, and 8 more unless the file ends
 */
export function detectEntrySize(bytes: Uint8Array, header: HctHeader): BlockIndexEntrySize {
  const short = BLOCK_INDEX_SIZE * header.blockCount;
  if (findInconsistency(new BlockTable(bytes.subarray(0, short), BLOCK_INDEX_SIZE), header) !== undefined) {
    return BLOCK_INDEX_V2_SIZE;
  }
  // With two blocks or more, only one layout is contiguous. With one block both are, but neither an LZ4 block nor a
  // Zstd frame starts with eight zeros, which an unused checksum is.
  const checksum = bytes.subarray(short, short + 8);
  const unused = checksum.length === 8 && checksum.every((byte) => byte === 0);
  return header.blockCount === 1 && unused ? BLOCK_INDEX_V2_SIZE : BLOCK_INDEX_SIZE;
}

/**
 * Reads and checks the whole index.
 * @throws FormatError unless the blocks follow each other without holes or overlaps and sum to the compressed size
 */
export function parseBlockTable(
  bytes: BytesLike,
  header: HctHeader,
  entrySize: BlockIndexEntrySize,
): BlockTable {
  const table = new BlockTable(asBytes(bytes), entrySize);
  const error = findInconsistency(table, header);
  if (error !== undefined) throw error;
  return table;
}

function findInconsistency(table: BlockTable, header: HctHeader): FormatError | undefined {
  let end = 0;
  for (let i = 0; i < table.length; i++) {
    const { offset, compressedSize } = table.entry(i);
    if (offset !== end) {
      return new FormatError('Cannot read the HCT index: wrong block offset', {
        blockIndex: i,
        expected: end,
        actual: offset,
      });
    }
    const most = maxCompressedSize(blockLength(header, i));
    if (compressedSize < 1 || compressedSize > most) {
      const expected = `1 to ${most}`;
      return new FormatError('Cannot read the HCT index: wrong compressed size', {
        blockIndex: i,
        expected,
        actual: compressedSize,
      });
    }
    end += compressedSize;
  }
  if (end === header.compressedSize) return undefined;
  return new FormatError('Cannot read the HCT index: wrong sum of the compressed sizes', {
    expected: header.compressedSize,
    actual: end,
  });
}

/**
 * More than any encoder makes of `length` bytes (LZ4 adds at most 1/255 and 16, Zstd 3 bytes per 128 KiB and a
 * header). An index that claims more would make a reader wait for bytes that it cannot need.
 */
function maxCompressedSize(length: number): number {
  return length + Math.ceil(length / 64) + 1024;
}

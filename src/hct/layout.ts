import { TruncatedError } from '../errors.js';
import type { AbortOptions, RandomAccessSource } from '../source.js';
import {
  parseQuantizationMetadata,
  QUANTIZATION_METADATA_SIZE,
  type QuantizationMetadata,
} from '../tensor/quantization.js';
import {
  BLOCK_INDEX_SIZE,
  type BlockTable,
  declaredEntrySize,
  detectEntrySize,
  parseBlockTable,
} from './blockIndex.js';
import { FLAG_QUANTIZATION, HCT_HEADER_SIZE, type HctLimits } from './constants.js';
import {
  HCT_EXTENSION_CHECKSUM_SIZE,
  HCT_EXTENSION_PREFIX_SIZE,
  type HctExtension,
  parseHctExtensionBody,
  parseHctExtensionPrefix,
} from './extension.js';
import { type HctHeader, parseHctHeader } from './header.js';
import { groupScalesSize, hasExtension, trueShape } from './trailer.js';

/** All of a file but its blocks. */
export interface HctLayout {
  readonly header: HctHeader;
  readonly quantization: QuantizationMetadata | undefined;
  readonly blocks: BlockTable;
  /** Where the first block begins in the file. */
  readonly blocksOffset: number;
  readonly shape: readonly number[];
  readonly name: string | undefined;
  readonly groupScales: Uint16Array | undefined;
}

/** Reads what stands around the blocks: the header first, then just as much as it announces. */
export async function readHctLayout(
  source: RandomAccessSource,
  options: HctLimits & AbortOptions,
): Promise<HctLayout> {
  const { signal } = options;
  const header = parseHctHeader(await source.read(0, HCT_HEADER_SIZE, { signal }), options);
  let position = HCT_HEADER_SIZE;
  let quantization: QuantizationMetadata | undefined;
  if (header.version === 2 && (header.flags & FLAG_QUANTIZATION) !== 0) {
    quantization = parseQuantizationMetadata(
      await source.read(position, QUANTIZATION_METADATA_SIZE, { signal }),
    );
    position += QUANTIZATION_METADATA_SIZE;
  }
  const blocks = await readBlockTable(source, header, position, options);
  const blocksOffset = position + blocks.entrySize * blocks.length;
  position = blocksOffset + header.compressedSize;
  assertHolds(source, position);

  const scalesSize = groupScalesSize(header, quantization);
  let groupScales: Uint16Array | undefined;
  if (scalesSize > 0 && (hasExtension(header) || source.size === undefined || source.size > position)) {
    const bytes = await source.read(position, scalesSize, { signal });
    groupScales = new Uint16Array(new Uint8Array(bytes).buffer);
    position += scalesSize;
  }
  let extension: HctExtension | undefined;
  if (hasExtension(header)) {
    const prefix = await source.read(position, HCT_EXTENSION_PREFIX_SIZE, { signal });
    const size = parseHctExtensionPrefix(prefix) + HCT_EXTENSION_CHECKSUM_SIZE;
    extension = parseHctExtensionBody(
      await source.read(position + HCT_EXTENSION_PREFIX_SIZE, size, { signal }),
    );
  }
  const shape = trueShape(header, extension);
  return { header, quantization, blocks, blocksOffset, shape, name: extension?.name, groupScales };
}

async function readBlockTable(
  source: RandomAccessSource,
  header: HctHeader,
  position: number,
  { signal }: AbortOptions,
): Promise<BlockTable> {
  const { blockCount, compressedSize } = header;
  const declared = blockCount === 0 ? BLOCK_INDEX_SIZE : declaredEntrySize(header);
  const least = (declared ?? BLOCK_INDEX_SIZE) * blockCount;
  // Checked before the index is read: its length is a claim until the file is known to be long enough.
  assertHolds(source, position + least + compressedSize);
  if (declared !== undefined) {
    return parseBlockTable(await source.read(position, least, { signal }), header, declared);
  }
  const rest = (source.size ?? Number.POSITIVE_INFINITY) - position;
  const begin = await source.read(position, Math.min(least + 8, rest), { signal });
  const entrySize = detectEntrySize(begin, header);
  if (entrySize === BLOCK_INDEX_SIZE) return parseBlockTable(begin.subarray(0, least), header, entrySize);
  const index = new Uint8Array(entrySize * blockCount);
  assertHolds(source, position + index.length + compressedSize);
  index.set(begin);
  const missing = index.length - begin.length;
  if (missing > 0) index.set(await source.read(position + begin.length, missing, { signal }), begin.length);
  return parseBlockTable(index, header, entrySize);
}

function assertHolds(source: RandomAccessSource, end: number): void {
  if (source.size !== undefined && source.size < end) {
    throw new TruncatedError('HCT file is shorter than its header says', {
      expected: end,
      actual: source.size,
    });
  }
}

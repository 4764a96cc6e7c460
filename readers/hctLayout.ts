import { ByteQueue } from '../src/bytes/byteQueue.js';
import { TruncatedError } from '../src/errors.js';
import type { BlockTable } from '../src/hct/blockIndex.js';
import type { HctLimits } from '../src/hct/constants.js';
import { type HctDemand, type HctGrammar, parseHctEnd, parseHctStart } from '../src/hct/grammar.js';
import type { HctHeader } from '../src/hct/header.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import type { QuantizationMetadata } from '../src/tensor/quantization.js';
import { readBytes } from './tensorReader.js';

/** All of a file but its blocks. */
export interface HctLayout {
  readonly header: HctHeader;
  readonly quantization: QuantizationMetadata | undefined;
  readonly blocks: BlockTable;
  /** Where the first block begins in the file. */
  readonly blocksOffset: number;
  /** The true shape, whatever the header could hold. */
  readonly shape: readonly number[];
  readonly name: string | undefined;
  /** One half-precision pattern a group, where the quantization has scales by group. */
  readonly groupScales: Uint16Array | undefined;
}

/**
 * Reads what is around the blocks: the header first, then just as much as it announces.
 * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError
 */
export async function readHctLayout(
  source: RandomAccessSource,
  options: HctLimits & AbortOptions = {},
): Promise<HctLayout> {
  const head = new ByteQueue();
  const start = await readParsed(parseHctStart(head, options), head, source, 0, options);
  const { header, quantization, blocks } = start;
  const blocksOffset = head.position;
  const tail = new ByteQueue();
  const end = blocksOffset + header.compressedSize;
  const { shape, name, groupScales } = await readParsed(parseHctEnd(tail, start), tail, source, end, options);
  return { header, quantization, blocks, blocksOffset, shape, name, groupScales };
}

/** Reads what the grammar asks for into its queue, whose first byte is at `offset` of the source. */
async function readParsed<T>(
  grammar: HctGrammar<T>,
  queue: ByteQueue,
  source: RandomAccessSource,
  offset: number,
  { signal }: AbortOptions,
): Promise<T> {
  for (;;) {
    const { done, value } = grammar.next();
    if (done) return value;
    const position = offset + queue.position;
    assertHolds(source, position, value);
    const available = (source.size ?? Number.POSITIVE_INFINITY) - position;
    const missing = Math.min(value.length, available) - queue.length;
    if (missing > 0) queue.push(await readBytes(source, position + queue.length, missing, { signal }));
  }
}

/** Before the bytes are read, because their length is a claim. */
function assertHolds(
  { size }: RandomAccessSource,
  position: number,
  { section, least, followedBy }: HctDemand,
): void {
  const expected = position + least + followedBy;
  if (size === undefined || size >= expected) return;
  const what =
    followedBy === 0 ? `HCT file ends within its ${section}` : 'HCT file is shorter than its header says';
  throw new TruncatedError(what, { expected, actual: size });
}

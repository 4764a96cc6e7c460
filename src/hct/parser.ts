import type { ByteQueue } from '../bytes/byteQueue.js';
import { Demand, type Grammar, GrammarStage, take } from '../bytes/grammar.js';
import { type AllLimits, Budget, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { xxh3 } from '../kernels/xxh3/checksum.js';
import type { Hash } from '../kernels/xxh3/interface.js';
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
import { FLAG_QUANTIZATION, HCT_HEADER_SIZE } from './constants.js';
import {
  HCT_EXTENSION_CHECKSUM_SIZE,
  HCT_EXTENSION_PREFIX_SIZE,
  hasExtension,
  parseExtension,
  parseHctExtensionPrefix,
  trueShape,
  verifyQuantization,
} from './extension.js';
import { blockLength, groupScalesSize, type HctHeader, parseHctHeader } from './header.js';
import type { HctEnd, HctPart, HctStart } from './parts.js';

/** The order of the sections of an HCT file, and the parser that has its bytes pushed. */

/**
 * The bytes of an HCT file of either version, cut anywhere, in; its parts out, each as soon as its last byte has arrived.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 *
 * const bytes = await readFile('fc1.weight.hct');
 * for (const part of new HctParser().push(bytes)) console.log(part.kind);
 */
export class HctParser extends GrammarStage<HctPart> {
  constructor(options?: LimitsOption) {
    const limits = limitsOf(options);
    super('HCT', (queue) => parseHctFile(queue, limits));
  }
}

/** The parts of a file; a block is of use as long as what is taken from the queue. */
export function* parseHctFile(queue: ByteQueue, limits: AllLimits): Grammar<void, HctPart> {
  const start = yield* parseHctStart(queue, limits, (bytes) => parseHctHeader(bytes, { limits }));
  yield start;
  const { header, blocks } = start;
  for (let blockIndex = 0; blockIndex < header.blockCount; blockIndex++) {
    const { compressedSize, checksum } = blocks.entry(blockIndex);
    yield new Demand('blocks', compressedSize);
    const byteLength = blockLength(header, blockIndex);
    const compressed = queue.take(compressedSize)!;
    checkBlockBytes(limits, byteLength, queue.position);
    yield {
      kind: 'block',
      blockIndex,
      byteOffset: blockIndex * header.blockSize,
      byteLength,
      checksum,
      compressed,
    };
  }
  yield yield* parseHctEnd(queue, start, limits, xxh3);
}

/**
 * From the first byte of a file to the first of its blocks.
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError
 */
export function* parseHctStart(
  queue: ByteQueue,
  limits: AllLimits,
  parseHeader: (bytes: Uint8Array) => HctHeader,
): Grammar<HctStart> {
  const header = parseHeader(yield* take(queue, 'header', HCT_HEADER_SIZE));
  let quantization: QuantizationMetadata | undefined;
  if (header.version === 2 && (header.flags & FLAG_QUANTIZATION) !== 0) {
    quantization = parseQuantizationMetadata(
      yield* take(queue, 'quantization metadata', QUANTIZATION_METADATA_SIZE),
    );
    const scales = groupScalesSize(header, quantization);
    checkLimit(limits, 'tensorBytes', scales, 'Cannot read the per-group scales: they are too large');
  }
  const blocks = yield* parseIndex(queue, header);
  // Of blocks that are still to come, the index says how many bytes they take.
  checkBlockBytes(limits, header.originalSize, queue.position + header.compressedSize);
  return { kind: 'start', header, quantization, blocks, blocksOffset: queue.position };
}

/**
 * From the last byte of the blocks to the end of the file.
 * @throws FormatError, ChecksumError, LimitError
 */
export function* parseHctEnd(
  queue: ByteQueue,
  { header, quantization }: HctStart,
  limits: AllLimits,
  hash: Hash,
): Grammar<HctEnd> {
  const groupScales = yield* parseGroupScales(queue, header, quantization);
  if (!hasExtension(header)) return { kind: 'end', shape: header.shape, name: undefined, groupScales };
  const prefix = yield* take(queue, 'extension section', HCT_EXTENSION_PREFIX_SIZE);
  const size = parseHctExtensionPrefix(prefix) + HCT_EXTENSION_CHECKSUM_SIZE;
  const extension = parseExtension(yield* take(queue, 'extension section', size), hash);
  verifyQuantization(header, extension, quantization, groupScales, hash);
  const shape = trueShape(header, extension);
  checkLimit(
    limits,
    'rank',
    shape.length,
    'Cannot read the HCT extension: the tensor has too many dimensions',
  );
  return { kind: 'end', shape, name: extension.name, groupScales };
}

/** @throws LimitError when the bytes received do not pay for that many of the tensor */
function checkBlockBytes(limits: AllLimits, bytes: number, received: number): void {
  new Budget(limits, received).check({ bytes, steps: 0 });
}

function* parseIndex(queue: ByteQueue, header: HctHeader): Grammar<BlockTable> {
  const { blockCount, compressedSize } = header;
  let entrySize = blockCount === 0 ? BLOCK_INDEX_SIZE : declaredEntrySize(header);
  if (entrySize === undefined) {
    // Eight bytes more than the short layout needs tell the two apart, unless the file ends before.
    const short = BLOCK_INDEX_SIZE * blockCount;
    yield new Demand('block index', short + 8, { least: short, followedBy: compressedSize });
    entrySize = detectEntrySize(queue.peek(short + 8), header);
  }
  // The blocks are part of the demand, because the index's length is a claim until the file is known to be long enough.
  const bytes = yield* take(queue, 'block index', entrySize * blockCount, compressedSize);
  // The table lives as long as the file; a copy lets go of the chunk that the index came in.
  return parseBlockTable(new Uint8Array(bytes), header, entrySize);
}

function* parseGroupScales(
  queue: ByteQueue,
  header: HctHeader,
  quantization: QuantizationMetadata | undefined,
): Grammar<Uint16Array | undefined> {
  const size = groupScalesSize(header, quantization);
  if (size === 0) return undefined;
  if (!hasExtension(header)) {
    // The reference announces scales and ends the file without them.
    yield new Demand('scales', size, { least: 0 });
    if (queue.length === 0) return undefined;
  }
  const bytes = yield* take(queue, 'scales', size);
  return new Uint16Array(new Uint8Array(bytes).buffer);
}

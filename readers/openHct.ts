import { readStart } from '../sources/read.js';
import type { ByteQueue } from '../src/bytes/byteQueue.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { limitsOf } from '../src/checks/limits.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { withPlace } from '../src/errors/placed.js';
import { HCT_DECODE_RULES, type HctDecodeOptions } from '../src/hct/decodeBlock.js';
import { parseHctHeaderBytes } from '../src/hct/header.js';
import { parseHctEnd, parseHctStart } from '../src/hct/parser.js';
import type { HctEnd, HctStart } from '../src/hct/parts.js';
import { type HctTools, loadChecksum, loadHctReadTools } from '../src/hct/tools.js';
import type { Hash } from '../src/kernels/xxh3/interface.js';
import { type RandomAccessSource, sourceName } from '../src/source.js';
import type { WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import { readBytes, readGrammar } from './readGrammar.js';

export interface HctReaderOptions extends HctDecodeOptions, AbortOptions, WorkersOption {}

export const HCT_READER_RULES: Rules<HctReaderOptions> = {
  ...HCT_DECODE_RULES,
  ...ABORT_RULES,
  workers: WORKERS,
};

/** Bytes of the first read: headers and indexes of most files, all of small ones. */
const FIRST_READ_SIZE = 65536;

/** All of a file but its blocks. */
export interface HctLayout extends Omit<HctStart, 'kind'>, Omit<HctEnd, 'kind'> {}

/** A file whose header and index have been read. */
export interface OpenedHct {
  readonly source: RandomAccessSource;
  /** What has been read of its start. */
  readonly first: Uint8Array;
  readonly layout: HctLayout;
  readonly tools: HctTools;
  readonly options: HctReaderOptions;
}

/** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError, SourceError */
export async function openHct(source: RandomAccessSource, options: HctReaderOptions): Promise<OpenedHct> {
  checkOptions(options, HCT_READER_RULES);
  return withPlace({ file: sourceName(source) }, () => readStartAndEnd(source, options));
}

/** By two reads where the index is not long, and by one of a small file: over a network, each takes a round trip. */
async function readStartAndEnd(source: RandomAccessSource, options: HctReaderOptions): Promise<OpenedHct> {
  const limits = limitsOf(options);
  let hash!: Hash;
  const loading = loadChecksum(options).then(({ xxh3 }) => {
    hash = xxh3;
  });
  const parseHeader = (bytes: Uint8Array) => parseHctHeaderBytes(bytes, limits, hash);
  const parseStart = (queue: ByteQueue) => parseHctStart(queue, limits, parseHeader);
  const [first] = await Promise.all([readFirst(source, options), loading]);
  const start = await readGrammar('HCT', parseStart, source, 0, {
    ...options,
    known: first.length > 0 ? first : undefined,
  });
  const tools = await loadHctReadTools(start.header, options);
  const blocksEnd = start.blocksOffset + start.header.compressedSize;
  const end = await readGrammar(
    'HCT',
    (queue) => parseHctEnd(queue, start, limits, hash),
    source,
    blocksEnd,
    { ...options, known: first.subarray(blocksEnd), ahead: FIRST_READ_SIZE },
  );
  return { source, first, layout: { ...start, ...end }, tools, options };
}

async function readFirst(source: RandomAccessSource, options: AbortOptions): Promise<Uint8Array> {
  const { size, id } = source;
  if (size !== undefined) return readBytes(source, 0, Math.min(FIRST_READ_SIZE, size), options);
  // A stream. The header may be all that it has for now, and no read of it takes a round trip.
  if (id === undefined) return new Uint8Array(0);
  return readStart(source, FIRST_READ_SIZE, options);
}

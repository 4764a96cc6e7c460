import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { limitsOf } from '../src/checks/limits.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { HCT_DECODE_RULES, type HctDecodeOptions } from '../src/hct/decodeBlock.js';
import { parseHctEnd, parseHctStart } from '../src/hct/parser.js';
import type { HctEnd, HctStart } from '../src/hct/parts.js';
import { type HctTools, loadHctReadTools } from '../src/hct/tools.js';
import type { RandomAccessSource } from '../src/source.js';
import type { WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import { readGrammar } from './readGrammar.js';

export interface HctReaderOptions extends HctDecodeOptions, AbortOptions, WorkersOption {}

export const HCT_READER_RULES: Rules<HctReaderOptions> = {
  ...HCT_DECODE_RULES,
  ...ABORT_RULES,
  workers: WORKERS,
};

/** All of a file but its blocks. */
export interface HctLayout extends Omit<HctStart, 'kind'>, Omit<HctEnd, 'kind'> {}

/** A file whose header and index have been read. */
export interface OpenedHct {
  readonly source: RandomAccessSource;
  readonly layout: HctLayout;
  readonly tools: HctTools;
  readonly options: HctReaderOptions;
}

/** @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError, SourceError */
export async function openHct(source: RandomAccessSource, options: HctReaderOptions): Promise<OpenedHct> {
  const limits = limitsOf(checkOptions(options, HCT_READER_RULES));
  const start = await readGrammar('HCT', (queue) => parseHctStart(queue, limits), source, 0, options);
  const tools = await loadHctReadTools(start.header, options);
  const blocksEnd = start.blocksOffset + start.header.compressedSize;
  const end = await readGrammar(
    'HCT',
    (queue) => parseHctEnd(queue, start, limits, tools.kernels.xxh3),
    source,
    blocksEnd,
    options,
  );
  return { source, layout: { ...start, ...end }, tools, options };
}

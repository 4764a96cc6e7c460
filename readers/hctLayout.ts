import type { HctLimits } from '../src/hct/constants.js';
import { parseHctEnd, parseHctStart } from '../src/hct/grammar.js';
import type { HctEnd, HctStart } from '../src/hct/parts.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import { readGrammar } from './readGrammar.js';

/** All of a file but its blocks. */
export interface HctLayout extends Omit<HctStart, 'kind'>, Omit<HctEnd, 'kind'> {}

/**
 * Reads what is around the blocks: the header first, then just as much as it announces.
 * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError
 */
export async function readHctLayout(
  source: RandomAccessSource,
  options: HctLimits & AbortOptions = {},
): Promise<HctLayout> {
  const start = await readGrammar('HCT', (queue) => parseHctStart(queue, options), source, 0, options);
  const blocksEnd = start.blocksOffset + start.header.compressedSize;
  const end = await readGrammar('HCT', (queue) => parseHctEnd(queue, start), source, blocksEnd, options);
  const { kind: _, ...layout } = { ...start, ...end };
  return layout;
}

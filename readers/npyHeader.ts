import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { AllLimits } from '../src/checks/limits.js';
import { TruncatedError } from '../src/errors.js';
import { type NpyHeader, parseNpyStart } from '../src/npy/header.js';
import type { RandomAccessSource } from '../src/source.js';
import { readGrammar } from './readGrammar.js';

/**
 * Reads the header of a NumPy file, and compares it with the size of the file if that is known.
 * @throws TruncatedError, FormatError, UnsupportedError, LimitError, SourceError
 */
export async function readNpyHeader(
  source: RandomAccessSource,
  limits: AllLimits,
  options: AbortOptions,
): Promise<NpyHeader> {
  const header = await readGrammar('NumPy', (queue) => parseNpyStart(queue, limits), source, 0, options);
  const expected = header.dataStart + header.byteLength;
  if (source.size === undefined || source.size >= expected) return header;
  throw new TruncatedError('Cannot read the NumPy file: it is shorter than its header says', {
    expected,
    actual: source.size,
  });
}

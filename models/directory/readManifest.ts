import { readWhole } from '../../sources/read.js';
import { FormatError, LimitError } from '../../src/errors.js';
import type { AbortOptions, RandomAccessSource } from '../../src/source.js';
import { MAX_MANIFEST_BYTES, type ModelManifest, parseManifest } from './manifest.js';

/** @throws FormatError, LimitError, SourceError */
export async function readManifest(
  source: RandomAccessSource,
  options: AbortOptions,
): Promise<ModelManifest> {
  const tooLarge = () => new LimitError('manifest', { expected: `at most ${MAX_MANIFEST_BYTES} bytes` });
  const bytes = await readWhole(source, MAX_MANIFEST_BYTES, tooLarge, options);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError('manifest: not UTF-8', { cause });
  }
  return parseManifest(text);
}

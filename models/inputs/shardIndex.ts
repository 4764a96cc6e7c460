import { readWhole } from '../../sources/read.js';
import { decodeText, parseJson } from '../../src/bytes/json.js';
import {
  beyondLimit,
  checkLimit,
  type LimitsOption,
  limitsOf,
  type OpenOptions,
} from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import type { ByteSource } from '../../src/source.js';
import { isPlainFileName } from '../directory/fileNames.js';

/** Which file of a sharded checkpoint has which tensor. */
export interface ShardIndex {
  /** The index as it was read, with its byte order mark: a model file stores it, and decoding restores it. */
  readonly text: string;
  readonly fileOf: ReadonlyMap<string, string>;
  /** Names of the files, each once, sorted: shards are numbered in their names. None for a model without tensors. */
  readonly files: readonly string[];
}

/**
 * Reads and parses a shard index.
 * @param name of the index, for error messages
 * @throws FormatError, LimitError, SourceError
 */
export async function readShardIndex(
  source: ByteSource,
  name: string,
  options: OpenOptions,
): Promise<ShardIndex> {
  const limits = limitsOf(options);
  const tooLarge = () =>
    beyondLimit(limits, 'manifestBytes', 'Cannot read the shard index: it is too large', { file: name });
  const bytes = await readWhole(source, limits.manifestBytes, tooLarge, options);
  return parseShardIndex(decodeText(bytes, 'Cannot read the shard index', name), name, { limits });
}

/**
 * Parses a shard index as `transformers` writes it: `{ "weight_map": { tensor: file, … } }`. Files must have plain names:
 * they are beside the index, and a name that leads elsewhere is refused.
 * @throws FormatError, LimitError
 */
export function parseShardIndex(text: string, name: string, options: LimitsOption = {}): ShardIndex {
  const limits = limitsOf(options);
  const root = parseJson(text, 'Cannot read the shard index', limits.manifestBytes, name);
  const map = (root as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new FormatError('Cannot read the shard index: it has no weight_map', { file: name });
  }
  const fileOf = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlainFileName(file)) {
      const place = { file: name, tensor };
      throw new FormatError('Cannot read the shard index: invalid file name', {
        ...place,
        expected: 'a plain name',
        actual: file,
      });
    }
    fileOf.set(tensor, file);
    checkLimit(limits, 'tensors', fileOf.size, 'Cannot read the shard index: too many tensors', {
      file: name,
    });
  }
  return { text, fileOf, files: [...new Set(fileOf.values())].sort() };
}

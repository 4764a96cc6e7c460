import type { ModelContent } from '../../models/inputs/content.js';
import { openOneFile } from '../../models/inputs/formats.js';
import { assertComplete } from '../../models/inputs/shards.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { ModelFiles } from './modelInput.js';

/** One file of a model in shards. */
export interface OpenedShard extends Pick<ModelContent, 'format' | 'metadata' | 'tensors'> {
  readonly file: string;
  readonly source: RandomAccessSource;
}

/**
 * Reads the headers of all shards.
 * @throws FormatError unless each tensor is in one shard, and where the index says
 */
export async function readShards(
  { files, index }: Pick<ModelFiles, 'files' | 'index'>,
  options: OpenOptions,
): Promise<readonly OpenedShard[]> {
  const shards: OpenedShard[] = [];
  for (const { name: file, source } of files) {
    const { format, metadata, tensors } = await openOneFile(source, { ...options, name: file });
    shards.push({ file, source, format, metadata, tensors });
  }
  assertComplete(shards, index);
  return shards;
}

import { FormatError } from '../../src/errors.js';
import { checkLimit, limitsOf, type OpenOptions } from '../../src/limits.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { ModelContent } from './content.js';
import { openOneFile } from './formats.js';
import { readShardIndex, type ShardIndex } from './shardIndex.js';

/**
 * A sharded checkpoint: an index says which file has which tensor.
 * @param openFile opens the index and the files beside it by their names
 * @throws FormatError when the index names no plain files, or a tensor is not where it says
 */
export async function openShards(
  openFile: OpenModelFile,
  indexName: string,
  options: OpenOptions,
): Promise<ModelContent> {
  const index = await readIndex(openFile, indexName, options);
  const contents: ModelContent[] = [];
  const close = async () => {
    // All of them, also when one fails.
    await Promise.all(contents.map((content) => content.close()));
  };
  try {
    let tensors = 0;
    for (const file of index.files) {
      const content = await openShard(openFile, file, options);
      contents.push(content);
      tensors += content.tensors.length;
      checkLimit(limitsOf(options), 'tensors', tensors, 'Cannot open the shards: too many tensors');
    }
    assertComplete(index, contents);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    format: contents.every(({ format }) => format === 'model-file') ? 'model-file' : 'safetensors',
    // If two shards disagree about a key, the first one counts.
    metadata: new Map(contents.toReversed().flatMap(({ metadata }) => [...metadata])),
    tensors: contents.flatMap(({ tensors }) => tensors),
    close,
  };
}

async function readIndex(openFile: OpenModelFile, name: string, options: OpenOptions): Promise<ShardIndex> {
  const source = await openFile(name);
  try {
    return await readShardIndex(source, name, options);
  } finally {
    await source.close?.();
  }
}

async function openShard(openFile: OpenModelFile, name: string, options: OpenOptions): Promise<ModelContent> {
  const source = await openFile(name);
  try {
    return await openOneFile(source, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** @throws FormatError unless each tensor is in the file that the index names, and in no other one */
function assertComplete({ files, fileOf }: ShardIndex, contents: readonly ModelContent[]): void {
  const found = new Map<string, string>();
  for (const [i, { tensors }] of contents.entries()) {
    for (const { name } of tensors) {
      if (found.has(name))
        throw new FormatError('Cannot open the shards: two of them have a tensor of the same name', { name });
      found.set(name, files[i]!);
    }
  }
  for (const [name, file] of fileOf) {
    if (found.get(name) !== file) {
      throw new FormatError('Cannot open the shards: one has no such tensor', { name: `${name} in ${file}` });
    }
  }
}

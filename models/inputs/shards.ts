import { withOwnSignal } from '../../src/abort.js';
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
  let tensors = 0;
  const check = (content: ModelContent) => {
    tensors += content.tensors.length;
    checkLimit(limitsOf(options), 'tensors', tensors, 'Cannot open the shards: too many tensors');
  };
  const contents = await openAll(
    index.files,
    (file, signal) => openShard(openFile, file, check, { ...options, signal }),
    options,
  );
  const close = () => closeAll(contents);
  try {
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

/** Opens all files together. When one fails, the others are given up, and those that are open are closed. */
async function openAll(
  files: readonly string[],
  open: (file: string, signal: AbortSignal) => Promise<ModelContent>,
  { signal }: OpenOptions,
): Promise<ModelContent[]> {
  return withOwnSignal(signal, async (own, abort) => {
    const opening = files.map((file) => open(file, own));
    try {
      return await Promise.all(opening);
    } catch (error) {
      abort(error);
      const settled = await Promise.allSettled(opening);
      await closeAll(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
      throw error;
    }
  });
}

async function closeAll(contents: readonly ModelContent[]): Promise<void> {
  await Promise.all(contents.map((content) => content.close()));
}

async function openShard(
  openFile: OpenModelFile,
  name: string,
  check: (content: ModelContent) => void,
  options: OpenOptions,
): Promise<ModelContent> {
  const source = await openFile(name);
  try {
    const content = await openOneFile(source, options);
    check(content);
    return content;
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

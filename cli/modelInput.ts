import { basename, dirname, join } from 'node:path';
import type { ModelSourceFile } from '../models/file/sourceFiles.js';
import { isShardIndexName, readShardIndex, type ShardIndex } from '../models/inputs/shardIndex.js';
import { fileSource } from '../sources/file.js';
import { openInput } from './files.js';

/** The files of a model, opened; disposing of it closes them. */
export interface ModelInput extends AsyncDisposable {
  readonly files: readonly ModelSourceFile[];
  /** The text of the shard index, where the model comes in shards. */
  readonly index: string | undefined;
}

/** One safetensors file, or the shards that an index names. */
export async function openModelInput(path: string, signal: AbortSignal): Promise<ModelInput> {
  const index = isShardIndexName(path) ? await readIndex(path, signal) : undefined;
  const paths = index?.files.map((name) => join(dirname(path), name)) ?? [path];
  const files: ModelSourceFile[] = [];
  const close = async () => {
    for (const { source } of files) await source.close?.();
  };
  try {
    for (const file of paths) files.push({ name: basename(file), source: await openInput(file, signal) });
    return { files, index: index?.text, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readIndex(path: string, signal: AbortSignal): Promise<ShardIndex> {
  await using source = await fileSource(path);
  return await readShardIndex(source, path, { signal });
}

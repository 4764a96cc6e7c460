import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EncodeModelFileOptions, encodeModelFile } from '../../models/file/encodeModelFile.js';
import { folderStagingStore } from '../../models/file/folderStagingStore.js';
import type { ModelSourceFile } from '../../models/file/sourceFiles.js';
import { isShardIndexName, readShardIndex, type ShardIndex } from '../../models/inputs/shardIndex.js';
import { fileSink } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { DataError } from '../failure.js';
import { openInput } from '../files.js';
import type { EncodeOptions } from '../options.js';
import { startProgress } from '../progress.js';
import { encoderOptions } from './holotensor.js';

/** Encodes a model, in one file or in shards, to one file of fragments. */
export async function encodeToModelFile(
  input: string,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, encoding = 'embedded', keep = [], resume } = options;
  const encode = { encoding, ...encoderOptions(encoding, options) };
  await using model = await openModelInput(input, signal);
  const stagingPath = join(dirname(output), `.${basename(output)}.holostream-staging`);
  if (!resume) await rm(stagingPath, { recursive: true, force: true });
  const total = model.files.reduce((sum, { source }) => sum + (source.size ?? 0), 0);
  using progress = startProgress('encoding', total);
  const onProgress = (bytes: number) => progress.reach(bytes);
  const kept = (name: string) => keep.some((pattern) => pattern.test(name));
  await writeModelFile(model, output, stagingPath, { encode, keep: kept, signal, onProgress });
}

/**
 * Encoded tensors are kept in the staging folder. It survives an interruption and a full disk, so `--resume` can
 * continue.
 */
async function writeModelFile(
  { files, index }: ModelInput,
  output: string,
  stagingPath: string,
  options: EncodeModelFileOptions,
): Promise<void> {
  const staging = await folderStagingStore(stagingPath);
  try {
    await encodeModelFile(files, await fileSink(output), staging, { ...options, index });
  } catch (error) {
    const canGoOn = options.signal?.aborted || error instanceof SinkError;
    if (!canGoOn) await staging.remove();
    // The options have been checked: what an encoder refuses now is a tensor (a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
  await staging.remove();
}

/** The files of a model, opened; disposing of it closes them. */
interface ModelInput extends AsyncDisposable {
  readonly files: readonly ModelSourceFile[];
  /** The text of the shard index, where the model comes in shards. */
  readonly index: string | undefined;
}

/** One safetensors file, or the shards that an index names. */
async function openModelInput(path: string, signal: AbortSignal): Promise<ModelInput> {
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

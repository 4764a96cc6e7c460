import { rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EncodeModelFileOptions, encodeModelFile } from '../../models/file/encodeModelFile.js';
import { type FolderStagingStore, folderStagingStore } from '../../models/file/folderStagingStore.js';
import type { ModelSourceFile } from '../../models/file/sourceFiles.js';
import { isShardIndexName, readShardIndex, type ShardIndex } from '../../models/inputs/shardIndex.js';
import { leftoversOf, removed, temporaryPath } from '../../sinks/leftovers.js';
import { fileSource } from '../../sources/file.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { patiently, systemReason } from '../../src/systemError.js';
import { DataError } from '../failure.js';
import { openInput, openOutput, tellLeftover } from '../files.js';
import type { EncodeOptions } from '../options.js';
import { startProgress } from '../progress.js';
import { encoderOptions } from './holotensor.js';

const STAGING = 'holostream-staging';

/** Encodes a model, in one file or in shards, to one file of fragments. */
export async function encodeToModelFile(
  input: string,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, encoding = 'embedded', keep = [], resume } = options;
  const encode = { encoding, ...encoderOptions(encoding, options) };
  await using model = await openModelInput(input, signal);
  const { staging, resumed } = await openStaging(output, resume);
  const total = model.files.reduce((sum, { source }) => sum + (source.size ?? 0), 0);
  using progress = startProgress(resumed ? 'resuming' : 'encoding', total);
  const onProgress = (bytes: number) => progress.reach(bytes);
  const kept = (name: string) => keep.some((pattern) => pattern.test(name));
  await writeModelFile(model, output, staging, { encode, keep: kept, signal, onProgress });
}

/** A staging folder for this run alone; with `--resume`, the one that the last run has left if that runs no more. */
async function openStaging(
  output: string,
  resume: true | undefined,
): Promise<{ readonly staging: FolderStagingStore; readonly resumed: boolean }> {
  const path = temporaryPath(output, STAGING);
  const found = await byAge(await leftoversOf(output, STAGING));
  const last = resume ? found.pop() : undefined;
  // If two runs resume, one of them has it.
  const resumed = last !== undefined && (await took(last, path));
  for (const folder of found) {
    tellLeftover(folder, (await removed(folder)) ? 'removed' : 'kept');
  }
  return { staging: await folderStagingStore(path), resumed };
}

async function byAge(folders: readonly string[]): Promise<string[]> {
  const dated = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      time: await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  return dated.sort((a, b) => a.time - b.time).map(({ folder }) => folder);
}

async function took(from: string, to: string): Promise<boolean> {
  try {
    await patiently(() => rename(from, to));
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    const reason = systemReason(cause);
    throw new SinkError(`Cannot go on with what an earlier run has left${reason}`, { name: from, cause });
  }
}

/**
 * Encoded tensors are kept in the staging folder. It survives an interruption and a full disk, so `--resume` can
 * continue.
 */
async function writeModelFile(
  { files, index }: ModelInput,
  output: string,
  staging: FolderStagingStore,
  options: EncodeModelFileOptions,
): Promise<void> {
  try {
    await encodeModelFile(files, await openOutput(output), staging, { ...options, index });
  } catch (error) {
    const canGoOn = options.signal?.aborted || error instanceof SinkError;
    if (!canGoOn) await staging.remove().catch(() => {});
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

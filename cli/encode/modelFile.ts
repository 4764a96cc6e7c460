import { readdir, rename, stat } from 'node:fs/promises';
import { encodeModelFile, type ModelFileStats } from '../../models/file/encodeModelFile.js';
import type { EncodeModelFileOptions } from '../../models/file/encodeOptions.js';
import { type FolderStagingStore, folderStagingStore } from '../../models/file/folderStagingStore.js';
import { readModelSource } from '../../models/file/sourceFiles.js';
import { patiently, systemReason } from '../../platform/systemError.js';
import { leftoversOf, removed, temporaryPath } from '../../sinks/leftovers.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { DataError, UsageError } from '../failure.js';
import { openOutput, tellLeftover } from '../files.js';
import { type ModelFiles, openModelFiles, totalSize } from '../input/modelInput.js';
import type { EncodeOptions } from '../options.js';
import type { Outcome } from '../output.js';
import { startProgress } from '../progress.js';
import { tell } from '../terminal.js';
import { threadsFor } from '../threads.js';
import { encoderOptions, takesLong } from './encoderOptions.js';
import { checkNames } from './names.js';

const STAGING = 'holostream-staging';

/** Encodes a model, in one file or in shards, to one file of fragments. */
export async function encodeToModelFile(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  await using model = await openModelFiles(names, { signal });
  if (model.beside.length > 0) {
    throw new UsageError(
      'An ONNX model becomes a directory of its graph and its weights: end the output with /',
    );
  }
  return await encodeFiles(model, options, signal);
}

/** Encodes the files of an open model. */
export async function encodeFiles(
  model: ModelFiles,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { output, encoding = 'embedded', keep = [], order, resume } = options;
  const encode = { encoding, ...encoderOptions(encoding, options) };
  const named = keep.length > 0 || options.importance !== undefined;
  const { tensors } = named ? await readModelSource(model.files, { signal }) : { tensors: [] };
  const importance = await checkNames(tensors, options);
  const { staging, resumed } = await openStaging(output, resume);
  using progress = startProgress(resumed ? 'resuming' : 'encoding', totalSize(model));
  const onProgress = (bytes: number) => progress.reach(bytes);
  const kept = (name: string) => keep.some((pattern) => pattern.test(name));
  const threads = threadsFor(options.workers, totalSize(model));
  const isLong = options.workers === undefined && takesLong(encoding, totalSize(model));
  const workers = isLong ? Math.max(threads, 1) : threads;
  const stats = await writeModelFile(model, output, staging, {
    encode,
    keep: kept,
    order,
    importance: importance?.of,
    workers,
    signal,
    onProgress,
  });
  const whole = stats.tensors - stats.encoded;
  return {
    ...stats,
    more: {
      data: { encoded: stats.encoded, kept: whole },
      words: whole === 0 ? [] : [`${whole} kept whole`],
    },
  };
}

interface Staging extends FolderStagingStore {
  isEmpty(): Promise<boolean>;
}

/** A staging folder for this run alone; with `--resume`, the one that the last run has left if that runs no more. */
async function openStaging(
  output: string,
  resume: true | undefined,
): Promise<{ readonly staging: Staging; readonly resumed: boolean }> {
  const path = temporaryPath(output, STAGING);
  const found = await byAge(await leftoversOf(output, STAGING));
  const last = resume ? found.pop() : undefined;
  // If two runs resume, one of them has it.
  const resumed = last !== undefined && (await took(last, path));
  for (const folder of found) {
    tellLeftover(folder, (await removed(folder)) ? 'removed' : 'kept');
  }
  const isEmpty = async () => (await readdir(path)).length === 0;
  return { staging: { ...(await folderStagingStore(path)), isEmpty }, resumed };
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
  { files, index }: ModelFiles,
  output: string,
  staging: Staging,
  options: EncodeModelFileOptions,
): Promise<ModelFileStats> {
  let stats: ModelFileStats;
  try {
    stats = await encodeModelFile(files, await openOutput(output), staging, {
      ...options,
      index: index?.text,
    });
    tellFewer(stats);
  } catch (error) {
    const canGoOn = options.signal?.aborted || error instanceof SinkError;
    if (canGoOn && !(await staging.isEmpty())) {
      tell('holostream: the tensors that are encoded are kept: the same command with --resume goes on');
    } else await staging.remove().catch(() => {});
    // The options have been checked: what an encoder refuses now is a tensor (a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
  await staging.remove();
  return stats;
}

function tellFewer({ fewerFragments, encoded }: ModelFileStats): void {
  if (fewerFragments === 0) return;
  tell(`fewer fragments than asked for: ${fewerFragments} of ${encoded} cut tensors, too small for more`);
}

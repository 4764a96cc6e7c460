import { rename, stat } from 'node:fs/promises';
import {
  type EncodeModelFileOptions,
  encodeModelFile,
  type ModelFileStats,
} from '../../models/file/encodeModelFile.js';
import { type FolderStagingStore, folderStagingStore } from '../../models/file/folderStagingStore.js';
import { readModelSource } from '../../models/file/sourceFiles.js';
import type { NamePattern } from '../../models/namePattern.js';
import { patiently, systemReason } from '../../platform/systemError.js';
import { leftoversOf, removed, temporaryPath } from '../../sinks/leftovers.js';
import { quote } from '../../src/errors/show.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { DataError, UsageError } from '../failure.js';
import { openOutput, tellLeftover } from '../files.js';
import { type ModelFiles, openModelFiles, totalSize } from '../modelInput.js';
import type { EncodeOptions } from '../options.js';
import { startProgress } from '../progress.js';
import { tell } from '../terminal.js';
import { threadsFor } from '../threads.js';
import { encoderOptions } from './holotensor.js';
import { type Importance, readImportance } from './importance.js';

const STAGING = 'holostream-staging';

/** Names in one message. */
const MAX_SHOWN = 5;

/** Encodes a model, in one file or in shards, to one file of fragments. */
export async function encodeToModelFile(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  await using model = await openModelFiles(names, { signal });
  if (model.beside.length > 0) {
    throw new UsageError(
      'An ONNX model becomes a directory of its graph and its weights: end the output with /',
    );
  }
  await encodeFiles(model, options, signal);
}

/** Encodes the files of an open model. */
export async function encodeFiles(
  model: ModelFiles,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, encoding = 'embedded', keep = [], order, resume } = options;
  const encode = { encoding, ...encoderOptions(encoding, options) };
  const importance = options.importance === undefined ? undefined : await readImportance(options.importance);
  await checkNames(model, keep, importance, signal);
  const { staging, resumed } = await openStaging(output, resume);
  using progress = startProgress(resumed ? 'resuming' : 'encoding', totalSize(model));
  const onProgress = (bytes: number) => progress.reach(bytes);
  const kept = (name: string) => keep.some((pattern) => pattern.test(name));
  const workers = threadsFor(options.workers, totalSize(model));
  await writeModelFile(model, output, staging, {
    encode,
    keep: kept,
    order,
    importance: importance?.of,
    workers,
    signal,
    onProgress,
  });
}

/**
 * What names no tensor is a typing error as a pattern of `--keep`: the file would not be as it was asked for. A file of
 * factors may be of several models.
 */
async function checkNames(
  { files }: ModelFiles,
  keep: readonly NamePattern[],
  importance: Importance | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (keep.length === 0 && importance === undefined) return;
  const { tensors } = await readModelSource(files, { signal });
  const names = tensors.map(({ name }) => name);
  const idle = keep.find((pattern) => !names.some((name) => pattern.test(name)));
  if (idle !== undefined) throw new UsageError(`--keep: no tensor has a name like ${quote(idle.text)}`);
  const unused = importance?.unused(names) ?? [];
  if (unused.length > 0) {
    const shown = unused.slice(0, MAX_SHOWN).map(quote).join(', ');
    const rest = unused.length > MAX_SHOWN ? ` and ${unused.length - MAX_SHOWN} more` : '';
    tell(`holostream: --importance: no tensor has a name like ${shown}${rest}`);
  }
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
  { files, index }: ModelFiles,
  output: string,
  staging: FolderStagingStore,
  options: EncodeModelFileOptions,
): Promise<void> {
  try {
    const stats = await encodeModelFile(files, await openOutput(output), staging, {
      ...options,
      index: index?.text,
    });
    tellFewer(stats);
  } catch (error) {
    const canGoOn = options.signal?.aborted || error instanceof SinkError;
    if (!canGoOn) await staging.remove().catch(() => {});
    // The options have been checked: what an encoder refuses now is a tensor (a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
  await staging.remove();
}

function tellFewer({ fewerFragments, encoded }: ModelFileStats): void {
  if (fewerFragments === 0) return;
  tell(`fewer fragments than asked for: ${fewerFragments} of ${encoded} cut tensors, too small for more`);
}

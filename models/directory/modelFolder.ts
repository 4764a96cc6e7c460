import { mkdir, readdir, readFile, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathOf } from '../../platform/path.js';
import { patiently, systemReason } from '../../platform/systemError.js';
import { fileSink, whyNotMade } from '../../sinks/file.js';
import { leftoversOf, removed, temporaryPath } from '../../sinks/leftovers.js';
import { fileSource } from '../../sources/file.js';
import { callback, checkOptions, type Rules } from '../../src/checks/options.js';
import { ArgumentError, SinkError, SourceError } from '../../src/errors.js';
import type { SeekableSink } from '../../src/source.js';
import { isPlainFileName } from './fileNames.js';
import { MANIFEST_NAME, parseManifest } from './manifest.js';
import type { OpenModelFile } from './modelReader.js';

/**
 * A model directory on disk (Node), for `ModelReader.open`.
 *
 * @example
 * const model = await ModelReader.open(modelFolder('./model'));
 *
 * @throws SourceError when a file is missing, or is not in the folder itself
 */
export function modelFolder(place: string | URL): OpenModelFile {
  const path = pathOf(place);
  return async (name) => {
    if (!isPlainFileName(name))
      throw new SourceError('Cannot open this file: not the name of a model file', { file: name });
    const [folder, file] = await Promise.all([realpath(path), realpath(join(path, name))]).catch((cause) => {
      throw new SourceError(`Cannot open model file${systemReason(cause)}`, {
        file: join(path, name),
        cause,
      });
    });
    // A link inside the folder may point anywhere.
    if (dirname(file) !== folder)
      throw new SourceError('Cannot open model file: it is a link out of its folder', { file: name });
    // Messages call it as the caller did.
    return { ...(await fileSource(file)), name: join(path, name) };
  };
}

/** The folder that a model directory is written to. */
export interface ModelFolderSink {
  /** The sink of a file in the folder, for `encodeModel`. */
  openFile(name: string): Promise<SeekableSink>;
  /**
   * Moves the complete folder into place.
   * @throws ArgumentError if other content has appeared in the folder; SinkError when it cannot be moved. The older
   *   folder is in its place then.
   */
  close(): Promise<void>;
  /** Deletes what was written; an older folder stays. */
  abort(): Promise<void>;
}

/** What {@link modelFolderSink} reports. */
export interface ModelFolderSinkOptions {
  /**
   * Called for each folder that a killed run has left beside the path: an older model is put back, the rest deleted. A
   * folder is kept if it cannot be deleted; an older model that was moved aside also if another program has added a
   * file to it.
   */
  readonly onLeftover?: ((path: string, action: 'restored' | 'removed' | 'kept') => void) | undefined;
}

const SINK_RULES: Rules<ModelFolderSinkOptions> = { onLeftover: callback };

/**
 * A model directory on disk (Node): written beside its path and moved into place when it is complete. It replaces an
 * older model directory, but no folder with other content. Only files of the older model are deleted. If the process is
 * killed meanwhile, the next sink of the same path puts the older model back, if the new one is not in its place.
 *
 * @throws ArgumentError when the folder has other content; SinkError when it cannot be written beside its path
 */
export async function modelFolderSink(
  place: string | URL,
  options: ModelFolderSinkOptions = {},
): Promise<ModelFolderSink> {
  checkOptions(options, SINK_RULES);
  const path = pathOf(place);
  // Follows links, so that the folder they lead to is replaced and not the link.
  const target = await realpath(path).catch(() => resolve(path));
  await recover(target, options);
  await assertReplaceable(target);
  const work = temporaryPath(target, 'partial');
  await mkdir(work).catch(async (cause) => {
    throw new SinkError(`Cannot create the folder${await whyNotMade(target, cause)}`, {
      name: target,
      cause,
    });
  });
  return {
    openFile: (name) => fileSink(join(work, name)),
    close: () => replace(target, work, options),
    // What cannot be deleted is a leftover, as that of a killed process.
    abort: () => rm(work, { recursive: true, force: true }).catch(() => {}),
  };
}

/** Ends what a killed run has begun, and removes what it has left. */
async function recover(target: string, { onLeftover }: ModelFolderSinkOptions): Promise<void> {
  for (const old of await leftoversOf(target, 'old')) {
    // The new model has its place, or another program has: then the folder that was put aside is all there is.
    await assertReplaceable(target);
    const isGone = ((await entriesOf(target)) ?? []).length === 0 && (await isWhole(old));
    if (isGone) {
      await rmdir(target).catch(() => {});
      await move(old, target, target);
      onLeftover?.(old, 'restored');
    } else {
      const isRemoved = await removeModel(old);
      onLeftover?.(old, isRemoved ? 'removed' : 'kept');
    }
  }
  for (const work of await leftoversOf(target, 'partial')) {
    const isRemoved = await removed(work);
    onLeftover?.(work, isRemoved ? 'removed' : 'kept');
  }
}

/** False for a model that was being deleted, and for a folder that cannot be read. */
async function isWhole(folder: string): Promise<boolean> {
  const entries = await readdir(folder).catch(() => undefined);
  if (entries === undefined) return false;
  const found = new Set(entries);
  return (await filesOf(folder)).every((file) => found.has(file));
}

async function replace(target: string, work: string, { onLeftover }: ModelFolderSinkOptions): Promise<void> {
  if (!(await assertReplaceable(target))) return move(work, target, target);
  const old = temporaryPath(target, 'old');
  await move(target, old, target);
  try {
    // From here on nothing comes in by the path of the folder; until here something may have.
    await assertReplaceable(old, target);
    await move(work, target, target);
  } catch (error) {
    await move(old, target, target).catch((cause) => {
      throw new SinkError(`Cannot put the folder back: it is kept as ${basename(old)}`, {
        name: target,
        cause,
      });
    });
    throw error;
  }
  if (!(await removeModel(old))) onLeftover?.(old, 'kept');
}

async function move(from: string, to: string, name: string): Promise<void> {
  await patiently(() => rename(from, to)).catch((cause) => {
    throw new SinkError(`Cannot move the folder into place${systemReason(cause)}`, { name, cause });
  });
}

/**
 * Deletes a model that has been replaced: its files by their names, the manifest last, so that a run that is killed here
 * leaves a folder that tells its files.
 * @returns false when the folder is kept, because it holds something else or cannot be deleted
 */
async function removeModel(folder: string): Promise<boolean> {
  try {
    const files = await filesOf(folder);
    for (const file of files.reverse()) await rm(join(folder, file), { force: true });
    await rmdir(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the folder exists; fails unless it is empty or holds a model directory and nothing else.
 * @param name for the error
 */
async function assertReplaceable(path: string, name = path): Promise<boolean> {
  const entries = await entriesOf(path);
  if (entries === undefined) return false;
  const own = new Set(entries.includes(MANIFEST_NAME) ? await filesOf(path) : []);
  const foreign = entries.find((entry) => !own.has(entry));
  if (foreign !== undefined) {
    throw new ArgumentError('Cannot replace the folder: it is in use for something else than a model', {
      name,
      actual: foreign,
    });
  }
  return true;
}

/** Names in a folder; undefined when it does not exist. */
async function entriesOf(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR')
      throw new ArgumentError('Cannot write the model: its path is not a folder', {
        name: path,
        cause: error,
      });
    throw new SinkError(`Cannot look into the folder${systemReason(error)}`, { name: path, cause: error });
  }
}

/** The manifest, and the files that it lists. */
async function filesOf(path: string): Promise<string[]> {
  try {
    const { tensors } = parseManifest(await readFile(join(path, MANIFEST_NAME), 'utf8'));
    return [MANIFEST_NAME, ...tensors.map(({ file }) => file)];
  } catch {
    // Another program's manifest: the folder must not be replaced.
    return [];
  }
}

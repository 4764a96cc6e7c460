import { mkdtemp, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileSink } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { ArgumentError, SourceError } from '../../src/errors.js';
import type { SeekableSink } from '../../src/source.js';
import { isSafeFileName } from './fileNames.js';
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
export function modelFolder(path: string): OpenModelFile {
  return async (name) => {
    if (!isSafeFileName(name))
      throw new SourceError('Cannot open this file: not the name of a model file', { name });
    const [folder, file] = await Promise.all([realpath(path), realpath(join(path, name))]).catch((cause) => {
      throw new SourceError('Cannot open model file', { name: join(path, name), cause });
    });
    // A link inside the folder may point anywhere.
    if (dirname(file) !== folder)
      throw new SourceError('Cannot open model file: it is a link out of its folder', { name });
    return fileSource(file);
  };
}

export interface ModelFolderSink {
  /** The sink of a file in the folder, for `encodeModel`. */
  openFile(name: string): Promise<SeekableSink>;
  /** Moves the complete folder into place. */
  close(): Promise<void>;
  /** Deletes what was written; an older folder stays. */
  abort(): Promise<void>;
}

/**
 * A model directory on disk (Node): written beside its path and moved into place when it is complete. It replaces an
 * older model directory, but no folder with other content.
 *
 * @throws ArgumentError when the folder has other content
 */
export async function modelFolderSink(path: string): Promise<ModelFolderSink> {
  const target = resolve(path);
  const exists = await assertReplaceable(target);
  const work = await mkdtemp(`${target}.partial-`);
  return {
    openFile: (name) => fileSink(join(work, name)),
    async close() {
      const old = `${work}.old`;
      if (exists) await rename(target, old);
      await rename(work, target);
      if (exists) await rm(old, { recursive: true });
    },
    abort: () => rm(work, { recursive: true, force: true }),
  };
}

/** Whether the folder exists; fails unless it is empty or holds a model directory and nothing else. */
async function assertReplaceable(path: string): Promise<boolean> {
  let entries: string[];
  try {
    entries = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new ArgumentError('Cannot write the model: its path is not a folder', { name: path, cause: error });
  }
  const own = new Set(entries.includes(MANIFEST_NAME) ? await filesOf(path) : []);
  const foreign = entries.find((entry) => !own.has(entry));
  if (foreign !== undefined) {
    throw new ArgumentError('Cannot replace the folder: it is in use for something else than a model', {
      name: path,
      actual: foreign,
    });
  }
  return true;
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const { tensors } = parseManifest(await readFile(join(path, MANIFEST_NAME), 'utf8'));
    return [MANIFEST_NAME, ...tensors.map(({ file }) => file)];
  } catch {
    // Another program's manifest: the folder must not be replaced.
    return [];
  }
}

import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileSink } from '../../sinks/file.js';
import { ArgumentError } from '../../src/errors.js';
import type { SeekableSink } from '../../src/source.js';
import { MANIFEST_NAME, parseManifest } from './manifest.js';

export interface ModelFolderSink {
  /** The sink of a file in the folder, for `encodeModel`. */
  openFile(name: string): Promise<SeekableSink>;
  /** Puts the folder into its place. */
  close(): Promise<void>;
  /** Throws away what was written; what was there before stays. */
  abort(): Promise<void>;
}

/**
 * A model directory on disk (Node): written beside and put into place when it is complete. An older model directory
 * there is replaced; a folder that holds anything else is not touched.
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

/** Whether there is a folder; fails unless it is empty or holds a model directory and nothing else. */
async function assertReplaceable(path: string): Promise<boolean> {
  let entries: string[];
  try {
    entries = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new ArgumentError('output is not a folder', { name: path, cause: error });
  }
  const own = new Set(entries.includes(MANIFEST_NAME) ? await filesOf(path) : []);
  const foreign = entries.find((entry) => !own.has(entry));
  if (foreign !== undefined) {
    throw new ArgumentError('output folder is in use for something else than a model', {
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
    // Some other manifest: then the folder is not ours.
    return [];
  }
}

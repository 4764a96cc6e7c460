import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathOf } from '../../platform/path.js';
import { patiently, systemReason } from '../../platform/systemError.js';
import { SinkError } from '../../src/errors.js';
import { makeFolder } from '../makeFolder.js';
import type { CacheStore, StoredEntry } from './store.js';

const SUFFIX = '.cache';
const TEMPORARY_SUFFIX = '.cache-tmp';

/** A temporary file that has not changed for an hour was left by a process that died. */
const STALE_AFTER = 3_600_000;

/**
 * Keeps entries as files in a folder (Node), which is created if it does not exist. Any number of processes may share
 * it: files are renamed into place when they are complete. Nothing is flushed to the disk; entries that a crash damaged
 * are recognised.
 *
 * @throws SinkError when the folder cannot be created
 */
export async function folderStore(folder: string | URL): Promise<CacheStore> {
  const path = pathOf(folder);
  await makeFolder(path).catch((cause) => {
    const reason = systemReason(cause, 'no folder can be made there');
    throw new SinkError(`Cannot make cache folder${reason}`, { name: path, cause });
  });
  const fileOf = (name: string) => join(path, `${name}${SUFFIX}`);
  return {
    async list() {
      const found = await Promise.all((await readdir(path)).map((file) => describe(path, file)));
      return found.filter((entry) => entry !== undefined);
    },
    async read(name) {
      try {
        const bytes = await readFile(fileOf(name));
        const now = new Date();
        // Only the order of eviction depends on it.
        await utimes(fileOf(name), now, now).catch(() => {});
        return bytes;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      const temporary = join(path, `${randomUUID()}${TEMPORARY_SUFFIX}`);
      try {
        await writeFile(temporary, bytes, { flag: 'wx' });
        await patiently(() => rename(temporary, fileOf(name)));
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw error;
      }
    },
    delete: (name) => patiently(() => rm(fileOf(name), { force: true })),
  };
}

async function describe(folder: string, file: string): Promise<StoredEntry | undefined> {
  const stats = await stat(join(folder, file)).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (file.endsWith(SUFFIX)) {
    return { name: file.slice(0, -SUFFIX.length), size: stats.size, used: stats.mtimeMs };
  }
  if (file.endsWith(TEMPORARY_SUFFIX) && stats.mtimeMs < Date.now() - STALE_AFTER) {
    await rm(join(folder, file), { force: true });
  }
  return undefined;
}

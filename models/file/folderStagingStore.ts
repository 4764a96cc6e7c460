import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSink } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { SinkError } from '../../src/errors.js';
import type { StagingStore } from './stagingStore.js';

export interface FolderStagingStore extends StagingStore {
  /** Deletes the folder and all that is in it. */
  remove(): Promise<void>;
}

/**
 * Keeps encoded tensors in a folder on disk (Node), which is made if it is not there. What an earlier run has left in it
 * is used again.
 *
 * @throws SinkError when the folder cannot be made
 */
export async function folderStagingStore(path: string): Promise<FolderStagingStore> {
  await mkdir(path, { recursive: true }).catch((cause) => {
    throw new SinkError('cannot make folder', { name: path, cause });
  });
  // The names are the encoder's own numbers.
  const place = (name: string) => join(path, `${name}.staging`);
  return {
    async open(name) {
      const found = await stat(place(name)).catch(() => undefined);
      return found?.isFile() ? fileSource(place(name)) : undefined;
    },
    create: (name) => fileSink(place(name)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathOf } from '../../platform/path.js';
import { systemReason } from '../../platform/systemError.js';
import { fileSink } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { makeFolder } from '../../sources/makeFolder.js';
import { SinkError } from '../../src/errors.js';
import type { StagingStore } from './stagingStore.js';

export interface FolderStagingStore extends StagingStore {
  /**
   * Deletes the folder and its content.
   * @throws SinkError
   */
  remove(): Promise<void>;
}

/**
 * Keeps encoded tensors in a folder on disk (Node), which is created if it does not exist. Tensors from an earlier run
 * are reused.
 *
 * @example
 * const staging = await folderStagingStore('model.staging');
 * const input = { name: 'model.safetensors', source: await fileSource('model.safetensors') };
 * await encodeModelFile([input], await fileSink('encoded.holo.safetensors'), staging);
 * await input.source.close();
 * await staging.remove();
 *
 * @throws SinkError when the folder cannot be made
 */
export async function folderStagingStore(place: string | URL): Promise<FolderStagingStore> {
  const path = pathOf(place);
  await makeFolder(path).catch((cause) => {
    const reason = systemReason(cause, 'no folder can be made there');
    throw new SinkError(`Cannot make staging folder${reason}`, { name: path, cause });
  });
  // Names are numbers that the encoder counts: safe in paths.
  const fileOf = (name: string) => join(path, `${name}.staging`);
  return {
    async open(name) {
      const found = await stat(fileOf(name)).catch(() => undefined);
      return found?.isFile() ? fileSource(fileOf(name)) : undefined;
    },
    // Not flushed: waiting for the disk takes as long as encoding. What a crash of the machine damages, checksums find.
    create: (name) => fileSink(fileOf(name), { flush: false }),
    async remove() {
      await rm(path, { recursive: true, force: true }).catch((cause) => {
        throw new SinkError(`Cannot delete the staging folder${systemReason(cause)}`, { name: path, cause });
      });
    },
  };
}

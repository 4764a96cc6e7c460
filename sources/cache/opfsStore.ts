import type { CacheStore, StoredEntry } from './store.js';

/**
 * Keeps entries as files in a folder of the browser's origin-private file system. Tabs of one origin share it; a file
 * appears whole, when its writing is closed.
 *
 * @throws DOMException where the engine has no such file system to offer: outside of secure contexts, in some private
 * windows
 */
export async function opfsStore(folder: string): Promise<CacheStore> {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(folder, { create: true });
  return {
    async list() {
      const entries: StoredEntry[] = [];
      for await (const [name, handle] of directory.entries()) {
        if (handle.kind !== 'file') continue;
        const file = await (handle as FileSystemFileHandle).getFile().catch(ignoreMissing);
        if (file !== undefined) entries.push({ name, size: file.size, used: file.lastModified });
      }
      return entries;
    },
    async read(name) {
      const handle = await directory.getFileHandle(name).catch(ignoreMissing);
      return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
    },
    async write(name, bytes) {
      const handle = await directory.getFileHandle(name, { create: true });
      const stream = await handle.createWritable();
      try {
        await stream.write(bytes);
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => {});
        throw error;
      }
    },
    async delete(name) {
      await directory.removeEntry(name).catch(ignoreMissing);
    },
  };
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
}

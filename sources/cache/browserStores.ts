import type { OwnBytes } from '../../src/bytes/binary.js';
import { SinkError, UnsupportedError } from '../../src/errors.js';
import type { CacheStore, StoredEntry } from './store.js';

/**
 * Keeps entries in the browser's Cache API, under this name. Tabs of one origin share it; writes are atomic.
 *
 * @throws UnsupportedError where the engine has no Cache API: outside of secure contexts; the engine's DOMException where it
 *   refuses to open it, as in some private windows
 */
export async function cacheApiStore(name: string): Promise<CacheStore> {
  if (typeof caches === 'undefined') {
    throw new UnsupportedError(`Cannot open the cache "${name}": no Cache API is available here`);
  }
  const cache = await caches.open(name);
  // Entries are addressed by URLs alone, because Deno ignores the options of `match` and `delete`. What listing needs is in
  // the headers of the request, so no entry has to be opened for it.
  const urlOf = (entry: string) => `https://holostream.invalid/${entry}`;
  return {
    async list() {
      const entries: StoredEntry[] = [];
      for (const request of await cache.keys()) {
        const { pathname, search } = new URL(request.url);
        const { headers } = request;
        // Version 0.1.0 had size and time in the URL.
        if (search !== '') await cache.delete(request);
        else
          entries.push({
            name: pathname.slice(1),
            size: Number(headers.get(SIZE)),
            used: Number(headers.get(TIME)),
          });
      }
      return entries;
    },
    async read(entry) {
      const response = await cache.match(urlOf(entry));
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async write(entry, bytes) {
      const headers = { [SIZE]: String(bytes.length), [TIME]: String(Date.now()) };
      await cache.put(new Request(urlOf(entry), { headers }), new Response(bytes));
    },
    async delete(entry) {
      await cache.delete(urlOf(entry));
    },
  };
}

const SIZE = 'x-size';
const TIME = 'x-time';

/**
 * Keeps entries as files in a folder of the browser's origin-private file system. Tabs of one origin share it. In browsers
 * whose pages cannot write there, workers can, by their synchronous access.
 *
 * @throws UnsupportedError where the engine has no such file system, or none that is writable here: outside of secure
 *   contexts, pages of Safari before 26; the engine's DOMException where it refuses to open it, as in some private windows
 */
export async function opfsStore(folder: string): Promise<CacheStore> {
  // The types promise it, but not every browser has it.
  const storage: StorageManager | undefined = navigator.storage;
  const write = storage?.getDirectory === undefined ? undefined : writer();
  if (write === undefined) {
    throw new UnsupportedError(
      `Cannot open the cache "${folder}": no writable origin-private file system is available here`,
    );
  }
  const root = await storage!.getDirectory();
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
      const file = await handle?.getFile().catch(ignoreMissing);
      // Unreadable is one that another tab has written or deleted meanwhile.
      const bytes = await file?.arrayBuffer().catch(ignoring('NotFoundError', 'NotReadableError'));
      return bytes && new Uint8Array(bytes);
    },
    async write(name, bytes) {
      const handle = await directory.getFileHandle(name, { create: true });
      try {
        await write(handle, bytes);
      } catch (error) {
        // An empty file or a part is left, unless another tab has written the entry.
        const file = await handle.getFile().catch(ignoreMissing);
        if (file !== undefined && file.size < bytes.length) await directory.removeEntry(name).catch(() => {});
        throw error;
      }
    },
    async delete(name) {
      // One that is locked is being written by another tab, and stays.
      await directory.removeEntry(name).catch(ignoring('NotFoundError', 'NoModificationAllowedError'));
    },
  };
}

type WriteFile = (handle: FileSystemFileHandle, bytes: OwnBytes) => Promise<void>;

/** How files are written here; undefined where they are not. */
function writer(): WriteFile | undefined {
  const { prototype } = FileSystemFileHandle;
  if ('createWritable' in prototype) return writeAtOnce;
  return 'createSyncAccessHandle' in prototype ? writeInPlace : undefined;
}

/** The file has its content when the stream is closed. */
async function writeAtOnce(handle: FileSystemFileHandle, bytes: OwnBytes): Promise<void> {
  const stream = await handle.createWritable();
  try {
    await stream.write(bytes);
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => {});
    throw error;
  }
}

/** Of workers. What is written only in part, or read meanwhile, is recognised by the cache. */
interface SyncAccess {
  truncate(size: number): void;
  write(bytes: OwnBytes, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

async function writeInPlace(handle: FileSystemFileHandle, bytes: OwnBytes): Promise<void> {
  const opener = handle as unknown as { createSyncAccessHandle(): Promise<SyncAccess> };
  const access = await opener.createSyncAccessHandle().catch(ignoreLocked);
  // Another tab is writing this entry.
  if (access === undefined) return;
  try {
    access.truncate(0);
    const written = access.write(bytes, { at: 0 });
    if (written < bytes.length) throw new SinkError('Cannot write the cache entry: no space is left');
    access.flush();
  } finally {
    access.close();
  }
}

/** Handles errors of these names; others are thrown on. */
function ignoring(...names: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof DOMException && names.includes(error.name))) throw error;
  };
}

const ignoreMissing = /* @__PURE__ */ ignoring('NotFoundError');
const ignoreLocked = /* @__PURE__ */ ignoring('NoModificationAllowedError');

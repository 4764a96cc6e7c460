import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathOf } from '../../platform/path.js';
import { systemReason } from '../../platform/systemError.js';
import { fileSink, removeLeftovers } from '../../sinks/file.js';
import { fileSource } from '../../sources/file.js';
import { makeFolder } from '../../sources/makeFolder.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { check } from '../../src/checks/options.js';
import { address } from '../../src/checks/rules.js';
import { SinkError, SourceError } from '../../src/errors.js';
import { discard } from '../../src/source.js';
import { checkKey } from './key.js';
import { type BulkStorage, type ListedObject, MAX_RECORD_BYTES } from './storage.js';

/**
 * A storage in a folder, which is created with the first object if it does not exist: on a disk, or on a file system that all
 * machines share. An object is written beside its place and renamed. Where the folder cannot be made, writing throws a
 * SinkError.
 */
export async function folderStorage(folder: string | URL): Promise<BulkStorage> {
  check('folder', folder, address);
  const root = resolve(pathOf(folder));
  const fileOf = (key: string) => join(root, ...checkKey(key).split('/'));
  const sinkOf = async (key: string) => {
    const path = fileOf(key);
    await make(dirname(path));
    return fileSink(path);
  };
  const write = async (key: string, bytes: Uint8Array) => {
    const sink = await sinkOf(key);
    try {
      await sink.write(bytes, 0);
      await sink.close();
    } catch (error) {
      await discard(sink, error);
      throw error;
    }
  };
  const head = async (key: string) => {
    const found = await statOf(fileOf(key));
    return found?.isFile() ? { size: Number(found.size), version: String(found.mtimeNs) } : undefined;
  };
  return {
    url: root,
    head,
    async get(key, options = {}) {
      const found = await head(key);
      return found && readFile(fileOf(key), 0, Math.min(found.size, MAX_RECORD_BYTES), options);
    },
    read: (key, offset, length, options = {}) => readFile(fileOf(key), offset, length, options),
    put: write,
    async create(key, bytes) {
      if ((await head(key)) !== undefined) return false;
      await write(key, bytes);
      return true;
    },
    async upload(key) {
      // What a killed process has left beside it.
      await make(dirname(fileOf(key)));
      await removeLeftovers(fileOf(key));
      const sink = await sinkOf(key);
      let position = 0;
      return {
        offset: 0,
        state: undefined,
        async write(bytes) {
          await sink.write(bytes, position);
          position += bytes.length;
        },
        complete: () => sink.close(),
        pause: () => sink.abort(),
        abort: () => sink.abort(),
      };
    },
    async abortUploads(key) {
      // Of processes of this machine that have ended: what others write stays, whenever they have begun.
      await removeLeftovers(fileOf(key));
    },
    async remove(key) {
      await rm(fileOf(key), { force: true }).catch((cause) => {
        throw new SinkError(`Cannot delete the file${systemReason(cause)}`, { name: fileOf(key), cause });
      });
    },
    list: (prefix, { signal } = {}) => listFolder(fileOf(prefix.replace(/\/$/, '')), prefix, signal),
  };
}

/** Temporary files are among them: those that killed processes have left can be deleted as others. */
async function* listFolder(
  path: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
    if (cause.code === 'ENOENT') return [];
    throw new SourceError(`Cannot list the folder${systemReason(cause)}`, { name: path, cause });
  });
  for (const entry of entries) {
    signal?.throwIfAborted();
    const file = join(path, entry.name);
    if (entry.isDirectory()) yield* listFolder(file, `${prefix}${entry.name}/`, signal);
    // Others may have deleted it.
    const found = entry.isFile() ? await statOf(file) : undefined;
    if (found !== undefined)
      yield { key: prefix + entry.name, size: Number(found.size), modified: Number(found.mtimeMs) };
  }
}

async function readFile(
  path: string,
  offset: number,
  length: number,
  options: AbortOptions,
): Promise<Uint8Array> {
  await using file = await fileSource(path);
  return await file.read(offset, length, { signal: options.signal });
}

/** @throws SourceError where the system does not say whether there is such a file */
async function statOf(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SourceError(`Cannot look for the file${systemReason(cause)}`, { name: path, cause });
  }
}

async function make(folder: string): Promise<void> {
  await makeFolder(folder).catch((cause) => {
    const reason = systemReason(cause, 'no folder can be made there');
    throw new SinkError(`Cannot make the folder of the storage${reason}`, { name: folder, cause });
  });
}

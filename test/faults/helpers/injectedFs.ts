/**
 * A file system that goes wrong as told: every operation of `node:fs/promises`, and of the files that it opens, passes
 * through here. It is in place for modules that are loaded before and after.
 */
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

export interface FileOperation {
  readonly name: string;
  /** It changes what is on the disk. */
  readonly changes: boolean;
  /** Does it. */
  run(): Promise<unknown>;
  /** Does what is left of it when it is broken off: half of a write; a file is closed; nothing of anything else. */
  runPartly(): Promise<unknown>;
}

/** Called in place of each operation; it has the result, or the error, that it returns or throws. */
export type FileFaults = (operation: FileOperation) => Promise<unknown>;

type Method = (...args: unknown[]) => Promise<unknown>;

const CHANGES = new Set(['mkdir', 'rename', 'rm', 'rmdir', 'writeFile', 'utimes', 'write', 'sync']);
const OF_HANDLES = ['read', 'write', 'sync', 'stat', 'close'] as const;
const FUNCTIONS = [
  'open',
  'mkdir',
  'rename',
  'rm',
  'rmdir',
  'readdir',
  'readFile',
  'writeFile',
  'stat',
  'realpath',
  'utimes',
] as const;

/** @param folder only operations on paths that begin with it are concerned; default all */
export function injectFaults(faults: FileFaults, folder = ''): Disposable {
  const originals = Object.fromEntries(FUNCTIONS.map((name) => [name, fs[name]]));

  const wrapHandle = (handle: FileHandle): FileHandle => {
    for (const name of OF_HANDLES) {
      const method = handle[name].bind(handle) as unknown as Method;
      const value: Method = (...args) => {
        const runPartly = () => partOf(name, method, args);
        return faults({ name, changes: CHANGES.has(name), run: () => method(...args), runPartly });
      };
      Object.defineProperty(handle, name, { value });
    }
    return handle;
  };

  for (const name of FUNCTIONS) {
    const original = originals[name] as unknown as Method;
    const value: Method = async (path, ...args) => {
      if (!String(path).startsWith(folder)) return original(path, ...args);
      const changes = CHANGES.has(name) || (name === 'open' && /[wa+]/.test(String(args[0])));
      const run = () => original(path, ...args);
      const result = await faults({ name, changes, run, runPartly: async () => {} });
      return name === 'open' ? wrapHandle(result as FileHandle) : result;
    };
    Object.assign(fs, { [name]: value });
  }
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      Object.assign(fs, originals);
      syncBuiltinESMExports();
    },
  };
}

async function partOf(name: string, method: Method, args: unknown[]): Promise<unknown> {
  if (name === 'close') return method();
  if (name !== 'write') return undefined;
  const [bytes, offset, length, position] = args as [Uint8Array, number, number, number];
  return method(bytes, offset, Math.ceil(length / 2), position);
}

/** An error as the operating system gives it. */
export function systemError(code: string, syscall: string): Error {
  const errno = { EIO: -5, EACCES: -13, ENOSPC: -28, EROFS: -30 }[code];
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, errno, syscall });
}

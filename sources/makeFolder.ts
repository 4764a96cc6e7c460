import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing. Node's own `recursive` reports "no such file" on a disk that is
 * read-only, and never ends in places such as `/proc`.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeFolder(dirname(path));
      // Once: another process may have made it meanwhile, and `/proc` has folders that cannot be made.
      await mkdir(path).catch((again) => assertFolder(path, again));
    } else await assertFolder(path, error);
  }
}

/** @throws the error, if there is no folder */
async function assertFolder(path: string, error: unknown): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw error;
}

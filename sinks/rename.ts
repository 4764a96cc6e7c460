import { rename } from 'node:fs/promises';

/** Milliseconds before the attempts after the first: 2 s in all. */
const DELAYS = [10, 30, 60, 100, 200, 400, 1200];

/**
 * Renames, and tries again where the system says that the path is in use: on Windows, a virus scanner or an indexer may
 * have a new file open for a moment.
 */
export async function renamePatiently(from: string, to: string): Promise<void> {
  for (const delay of DELAYS) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EPERM' && code !== 'EBUSY') throw error;
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
  await rename(from, to);
}

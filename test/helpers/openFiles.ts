import { readdirSync, readlinkSync } from 'node:fs';

const HANDLES = '/proc/self/fd';

/** The number of handles that this process holds on a file, or on files in a folder. The loader's come and go. */
export function openFiles(path: string): number {
  return readdirSync(HANDLES).filter((handle) => {
    try {
      return readlinkSync(`${HANDLES}/${handle}`).startsWith(path);
    } catch {
      // The handle with which the folder was read.
      return false;
    }
  }).length;
}

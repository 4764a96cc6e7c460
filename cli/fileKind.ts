import { stat } from 'node:fs/promises';
import { FormatError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';

export type FileKind = 'hct' | 'safetensors';

/** What the file is, by its first bytes: names lie, and files have none. */
export async function fileKind(source: RandomAccessSource, name: string): Promise<FileKind> {
  const start = await source.read(0, Math.min(source.size ?? 0, 9));
  if (String.fromCharCode(...start.subarray(0, 4)) === 'HCTN') return 'hct';
  // Eight bytes of length, then JSON.
  if (start[8] === 0x7b) return 'safetensors';
  throw new FormatError('neither an HCT nor a safetensors file', { name });
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

import { stat } from 'node:fs/promises';
import { VERSION_KEY } from '../models/file/plan.js';
import { readSafetensorsHeader } from '../readers/safetensors.js';
import { FormatError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';

/** A model file is a safetensors file, too. */
export type FileKind = 'hct' | 'holotensor' | 'model-file' | 'safetensors';

/** What the file is, by its first bytes: names lie, and pipes have none. */
export async function fileKind(source: RandomAccessSource, name: string): Promise<FileKind> {
  const kind = await tryFileKind(source);
  if (kind === undefined) throw new FormatError('neither HCT, HoloTensor nor safetensors', { name });
  if (kind === 'safetensors' && (await isModelFile(source))) return 'model-file';
  return kind;
}

/** The same for files that may be raw bytes: those are undefined. Does not look into safetensors. */
export async function tryFileKind(
  source: RandomAccessSource,
): Promise<Exclude<FileKind, 'model-file'> | undefined> {
  const start = await source.read(0, Math.min(source.size ?? 0, 9));
  const magic = String.fromCharCode(...start.subarray(0, 4));
  if (magic === 'HCTN') return 'hct';
  if (magic === 'HTNS') return 'holotensor';
  // Eight bytes of length, of which no header needs the upper four, then JSON.
  return start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0) ? 'safetensors' : undefined;
}

async function isModelFile(source: RandomAccessSource): Promise<boolean> {
  const { metadata } = await readSafetensorsHeader(source);
  return metadata.has(VERSION_KEY);
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

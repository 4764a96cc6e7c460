import { stat } from 'node:fs/promises';
import { type FileFormat, fileFormat } from '../models/inputs/formats.js';
import { FormatError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';

/** The format of a file of ours. @throws FormatError when it is none */
export async function formatOfFile(source: RandomAccessSource, name: string): Promise<FileFormat> {
  const format = await fileFormat(source);
  if (format === undefined) throw new FormatError('neither HCT, HoloTensor nor safetensors', { name });
  return format;
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

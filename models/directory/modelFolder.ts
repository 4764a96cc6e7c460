import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileSource } from '../../sources/file.js';
import { SourceError } from '../../src/errors.js';
import { isSafeFileName } from './fileNames.js';
import type { OpenModelFile } from './modelReader.js';

/**
 * A model directory on disk (Node), for `ModelReader.open`.
 *
 * @example
 * const model = await ModelReader.open(modelFolder('./model'));
 *
 * @throws SourceError when a file is missing, or is not in the folder itself
 */
export function modelFolder(path: string): OpenModelFile {
  return async (name) => {
    if (!isSafeFileName(name)) throw new SourceError('not the name of a model file', { name });
    const [folder, file] = await Promise.all([realpath(path), realpath(join(path, name))]).catch((cause) => {
      throw new SourceError('cannot open model file', { name: join(path, name), cause });
    });
    // A link inside the folder may point anywhere.
    if (dirname(file) !== folder) throw new SourceError('model file is a link out of its folder', { name });
    return fileSource(file);
  };
}

import type { RandomAccessSource } from '../../src/source.js';
import { type ModelSourceFile, readSourceFile } from '../file/sourceFiles.js';
import {
  type FileOptions,
  type LoadableTensor,
  type ModelContent,
  type OriginalFile,
  sharedFile,
} from './content.js';
import { type ForeignFormat, openForeignModel } from './foreign.js';
import { hashOfText } from './textHash.js';
import { storedTensor } from './wholeTensor.js';

/** A file of another format as a model: every tensor is one piece. Its head and what else is around tensors count for nothing. */
export async function openForeignContent(
  source: RandomAccessSource,
  format: ForeignFormat,
  { name, openBeside, limits, signal }: FileOptions,
): Promise<ModelContent> {
  const model = await openForeignModel(source, { name, openBeside, limits, signal });
  try {
    const opened = await Promise.all(model.files.map((file) => openFile(file, source, { limits, signal })));
    return {
      format,
      metadata: new Map(),
      tensors: opened.flatMap(({ tensors }) => tensors),
      files: opened.map(({ file }) => file),
      close: async () => {
        await model.close();
        await source.close?.();
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

/** @param origin of the bytes, for their version */
async function openFile(
  file: ModelSourceFile,
  origin: RandomAccessSource,
  options: FileOptions,
): Promise<{ readonly file: OriginalFile; readonly tensors: readonly LoadableTensor[] }> {
  const { file: plain, header } = await readSourceFile(file, options);
  const between = new Set(file.layout?.flatMap(({ name, isBetween }) => (isBetween ? [name] : [])));
  const pieceFile = sharedFile(file.source);
  const tensors = header.tensors.map((tensor) => {
    const loadable = storedTensor(tensor, file.source, pieceFile);
    return between.has(tensor.name) ? { ...loadable, weight: 0 } : loadable;
  });
  const version: OriginalFile['version'] = async (own) => {
    // Of a model whose tensors are in other files, too, no version is that of all.
    const known = file.source === origin ? await origin.version?.(own) : undefined;
    return known === undefined ? undefined : hashOfText([known, plain.header]);
  };
  return { file: { ...plain, version }, tensors };
}

import { encodeModel } from '../../models/directory/encodeModel.js';
import { modelFolderSink } from '../../models/directory/modelFolder.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { CommandContext } from '../context.js';
import { openInput } from '../files.js';
import { startProgress } from '../progress.js';
import { compressionOptions } from './hct.js';
import type { EncodeOptions } from './options.js';

/** A safetensors model to a directory of HCT files. */
export async function encodeDirectory(
  { signal }: CommandContext,
  input: string,
  options: EncodeOptions,
): Promise<void> {
  const model = await openInput(input, signal);
  try {
    await writeDirectory(model, options, signal);
  } finally {
    await model.close?.();
  }
}

async function writeDirectory(
  model: RandomAccessSource,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const compression = compressionOptions(options);
  const folder = await modelFolderSink(options.output);
  const progress = startProgress('encoding', model.size);
  try {
    const onProgress = (bytes: number) => progress.advance(bytes);
    await encodeModel(model, folder.openFile, { ...compression, signal, onProgress });
    await folder.close();
  } catch (error) {
    await folder.abort();
    throw error;
  } finally {
    progress.stop();
  }
}

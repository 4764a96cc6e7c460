import type { OpenOptions } from '../../src/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import { readPlainHeader } from '../file/plainHeader.js';
import { type ModelContent, sharedFile } from './content.js';
import { storedTensor } from './wholeTensor.js';

/** A plain safetensors file: every tensor is one piece. */
export async function openSafetensors(
  source: RandomAccessSource,
  options: OpenOptions,
): Promise<ModelContent> {
  const { metadata, tensors } = await readPlainHeader(source, options);
  const file = sharedFile(source);
  return {
    format: 'safetensors',
    metadata,
    tensors: tensors.map((tensor) => storedTensor(tensor, source, file)),
    close: async () => source.close?.(),
  };
}

import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { parsePlainHeader } from '../file/plainHeader.js';
import { type FileOptions, type ModelContent, sharedFile } from './content.js';
import { storedTensor } from './wholeTensor.js';

/** A plain safetensors file: every tensor is one piece. */
export async function openSafetensors(
  source: RandomAccessSource,
  options: FileOptions,
): Promise<ModelContent> {
  const { sha256 } = options;
  const bytes = await readSafetensorsHeaderBytes(source, options);
  const header = parsePlainHeader(bytes, source.size, options);
  const file = sharedFile(source);
  return {
    format: 'safetensors',
    metadata: header.metadata,
    tensors:
      sha256 === undefined
        ? header.tensors.map((tensor) => storedTensor(tensor, source, file))
        : await (await import('./integrity.js')).verifiedTensors(header, bytes, source, sha256),
    close: async () => source.close?.(),
  };
}

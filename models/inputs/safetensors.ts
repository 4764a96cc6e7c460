import { readSafetensorsHeader } from '../../readers/safetensors.js';
import { FormatError } from '../../src/errors.js';
import type { SafetensorsHeader } from '../../src/safetensors/header.js';
import type { AbortOptions, RandomAccessSource } from '../../src/source.js';
import { VERSION_KEY } from '../file/plan.js';
import { type ModelContent, sharedFile } from './content.js';
import { storedTensor } from './wholeTensor.js';

/** A plain safetensors file: every tensor is one piece. */
export async function openSafetensors(
  source: RandomAccessSource,
  options: AbortOptions,
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

/**
 * The header of a plain safetensors file.
 * @throws FormatError for a model file whose header another program has rewritten: its tensors are fragments
 */
export async function readPlainHeader(
  source: RandomAccessSource,
  options: AbortOptions,
): Promise<SafetensorsHeader> {
  const header = await readSafetensorsHeader(source, options);
  if (header.metadata.has(VERSION_KEY)) {
    throw new FormatError(
      'Cannot read the model file: another program has written its header anew, without the checksum',
    );
  }
  return header;
}

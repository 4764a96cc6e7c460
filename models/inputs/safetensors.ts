import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SAFETENSORS_LENGTH_SIZE } from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { parsePlainHeader } from '../file/plainHeader.js';
import { type FileOptions, type ModelContent, type OriginalFile, sharedFile } from './content.js';
import { hashOfText } from './textHash.js';
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
    // What is verified as a whole is read as a whole.
    files: sha256 === undefined ? [originalFile(bytes, source, options)] : undefined,
    close: async () => source.close?.(),
  };
}

/** @param bytes length and JSON: all bytes before the tensors */
function originalFile(
  bytes: Uint8Array,
  source: RandomAccessSource,
  { name = 'model.safetensors' }: FileOptions,
): OriginalFile {
  const header = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    bytes.subarray(SAFETENSORS_LENGTH_SIZE),
  );
  const version = async (options: AbortOptions) => {
    const known = await source.version?.(options);
    return known === undefined ? undefined : hashOfText([known, header]);
  };
  return { name, header, version };
}

import type { ModelReader } from '../../models/directory/modelReader.js';
import { sourceFileHeader } from '../../models/file/sourceFiles.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { UsageError } from '../failure.js';
import { STANDARD, writeOutput } from '../files.js';
import type { Outcome } from '../output.js';
import { counted, startProgress } from '../progress.js';

/** Decodes a model directory to one safetensors file, or to standard output. */
export async function decodeDirectory(
  model: ModelReader,
  output: string,
  options: OpenOptions,
): Promise<Outcome> {
  if (output !== STANDARD && !output.endsWith('.safetensors')) {
    throw new UsageError(`A model directory becomes a .safetensors file, not ${quote(output)}`);
  }
  const total = model.manifest.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  using progress = startProgress('decoding', total);
  await writeOutput(output, counted(directoryChunks(model, options), progress), options);
  return { tensors: model.manifest.tensors.length, originalSize: total, fileSize: total };
}

async function* directoryChunks(model: ModelReader, options: OpenOptions): AsyncGenerator<Uint8Array> {
  const { metadata, tensors, files = [] } = model.manifest;
  const [only, ...others] = files;
  const isOriginal = only !== undefined && others.length === 0 && !only.bare;
  yield isOriginal ? sourceFileHeader(only) : serializeSafetensorsHeader(tensors, metadata).bytes;
  for (const tensor of tensors) yield* model.chunks(tensor, options);
}

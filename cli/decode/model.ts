import { modelFolderSink } from '../../models/directory/modelFolder.js';
import type { ModelReader } from '../../models/directory/modelReader.js';
import { decodeModelFile, readModelTensor } from '../../models/file/decodeModelFile.js';
import { type ModelFile, readModelFile } from '../../models/file/modelFile.js';
import { sourceFileHeader, sourceFileTensors } from '../../models/file/sourceFiles.js';
import { SHARD_INDEX_NAME } from '../../models/inputs/shardIndex.js';
import type { OpenOptions } from '../../src/limits.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { quote } from '../../src/show.js';
import type { RandomAccessSource } from '../../src/source.js';
import { UsageError } from '../failure.js';
import { isDirectory, STANDARD, tellLeftover, writeOutput } from '../files.js';
import { counted, type Progress, startProgress } from '../progress.js';

/** Decodes a model file to one safetensors file, to standard output, or to a folder of the files it was made from. */
export async function decodeFromModelFile(
  source: RandomAccessSource,
  output: string,
  options: OpenOptions,
): Promise<void> {
  const toFolder = output.endsWith('/') || (await isDirectory(output));
  if (!toFolder && output !== STANDARD && !output.endsWith('.safetensors')) {
    throw new UsageError(`A model file becomes a .safetensors file or a directory, not ${quote(output)}`);
  }
  using progress = startProgress('decoding', source.size);
  await (toFolder ? toShards : toOneFile)(source, output, progress, options);
}

/** Decodes a model directory to one safetensors file, or to standard output. */
export async function decodeDirectory(
  model: ModelReader,
  output: string,
  options: OpenOptions,
): Promise<void> {
  if (output !== STANDARD && !output.endsWith('.safetensors')) {
    throw new UsageError(`A model directory becomes a .safetensors file, not ${quote(output)}`);
  }
  const total = model.manifest.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  using progress = startProgress('decoding', total);
  await writeOutput(output, counted(directoryChunks(model, options), progress), options);
}

async function* directoryChunks(model: ModelReader, options: OpenOptions): AsyncGenerator<Uint8Array> {
  const { metadata, tensors } = model.manifest;
  yield serializeSafetensorsHeader(tensors, metadata).bytes;
  for (const tensor of tensors) yield* model.chunks(tensor, options);
}

/** The file that the model was made from, or all shards joined. */
async function toOneFile(
  source: RandomAccessSource,
  output: string,
  progress: Progress,
  options: OpenOptions,
): Promise<void> {
  const model = await readModelFile(source, options);
  await writeOutput(output, counted(modelFileChunks(model, source, options), progress), options);
}

async function* modelFileChunks(
  model: ModelFile,
  source: RandomAccessSource,
  options: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const [only, ...others] = model.plan.files;
  const single = only !== undefined && others.length === 0;
  yield single ? sourceFileHeader(only) : serializeSafetensorsHeader(model.tensors, model.metadata).bytes;
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name } of single ? sourceFileTensors(only, options) : model.tensors) {
    yield await readModelTensor(source, tensors.get(name)!, options);
  }
}

/** The files that the model was made from, and their index. */
async function toShards(
  source: RandomAccessSource,
  output: string,
  progress: Progress,
  options: OpenOptions,
): Promise<void> {
  const folder = await modelFolderSink(output, { onLeftover: tellLeftover });
  const onProgress = (bytes: number) => progress.reach(bytes);
  try {
    const { plan } = await decodeModelFile(source, folder.openFile, { ...options, onProgress });
    if (plan.index !== undefined) {
      const sink = await folder.openFile(SHARD_INDEX_NAME);
      await sink.write(new TextEncoder().encode(plan.index), 0);
      await sink.close();
    }
    await folder.close();
  } catch (error) {
    await folder.abort();
    throw error;
  }
}

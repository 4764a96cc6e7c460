import { isSafeFileName } from '../../models/directory/fileNames.js';
import { modelFolderSink } from '../../models/directory/modelFolder.js';
import { decodeModelFile, readModelTensor } from '../../models/file/decodeModelFile.js';
import { type ModelFile, readModelFile } from '../../models/file/modelFile.js';
import { sourceFileHeader, sourceFileTensors } from '../../models/file/sourceFiles.js';
import { SHARD_INDEX_NAME } from '../../models/inputs/shardIndex.js';
import { FormatError } from '../../src/errors.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../src/source.js';
import { writeOutput } from '../output.js';
import { counted, type Progress } from '../progress.js';

/** To one safetensors file, or standard output: the very file it was made of, or all shards joined. */
export async function decodeToOneFile(
  source: RandomAccessSource,
  output: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const model = await readModelFile(source, { signal });
  await writeOutput(output, counted(safetensorsOf(model, source, signal), progress), { signal });
}

async function* safetensorsOf(
  model: ModelFile,
  source: RandomAccessSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const [only, ...others] = model.plan.files;
  const single = only !== undefined && others.length === 0;
  yield single ? sourceFileHeader(only) : serializeSafetensorsHeader(model.tensors, model.metadata).bytes;
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name } of single ? sourceFileTensors(only) : model.tensors) {
    yield await readModelTensor(source, tensors.get(name)!, { signal });
  }
}

/** To a folder: the files that the model was made of, and their index. */
export async function decodeToFolder(
  source: RandomAccessSource,
  output: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const folder = await modelFolderSink(output);
  let seen = 0;
  const onProgress = (bytes: number) => {
    progress.advance(bytes - seen);
    seen = bytes;
  };
  const openFile = (name: string) => {
    // The name is the model file's own word.
    if (!isSafeFileName(name)) throw new FormatError('model file: not a plain file name', { name });
    return folder.openFile(name);
  };
  try {
    const { plan } = await decodeModelFile(source, openFile, { signal, onProgress });
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

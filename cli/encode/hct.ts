import { encodeModel, type ModelCompressionOptions } from '../../models/directory/encodeModel.js';
import { modelFolderSink } from '../../models/directory/modelFolder.js';
import { HctEncoderStream } from '../../operators/hct.js';
import { HctSink } from '../../sinks/hct.js';
import { streamSource } from '../../sources/stream.js';
import { UsageError } from '../failure.js';
import { openOutput, STANDARD, tellLeftover, writeOutput } from '../files.js';
import { openModelFiles, totalSize } from '../modelInput.js';
import type { EncodeOptions } from '../options.js';
import { counted, startProgress } from '../progress.js';
import { openTensor } from '../tensorInput.js';

/** Encodes one tensor to an HCT file or to standard output. */
export async function encodeHct(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const compression = compressionOptions(options);
  await using tensor = await openTensor(names, options, { signal });
  const { dtype, shape, byteLength } = tensor;
  const name = compression.version === 2 ? tensor.name : undefined;
  const file = { ...compression, dtype, shape, name };
  using progress = startProgress('encoding', byteLength);
  const stream = streamSource(counted(tensor.chunks, progress)).stream({ signal });
  if (options.output === STANDARD) {
    // A pipe cannot seek: the compressed blocks wait in memory until the index is known.
    await writeOutput(STANDARD, stream.pipeThrough(new HctEncoderStream(file)), { signal });
  } else {
    await using sink = await openOutput(options.output);
    await stream.pipeTo(new HctSink(sink, file));
  }
}

/** Encodes a safetensors model, in one file or in shards, to a directory of HCT files. */
export async function encodeDirectory(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const compression = compressionOptions(options);
  await using model = await openModelFiles(names, { signal });
  if (model.beside.length > 0) throw new UsageError('The name of an ONNX file must end with .onnx');
  const folder = await modelFolderSink(options.output, { onLeftover: tellLeftover });
  using progress = startProgress('encoding', totalSize(model));
  try {
    const onProgress = (bytes: number) => progress.advance(bytes);
    await encodeModel(model.files, folder.openFile, { ...compression, signal, onProgress });
    await folder.close();
  } catch (error) {
    await folder.abort();
    throw error;
  }
}

function compressionOptions(options: EncodeOptions): ModelCompressionOptions & { readonly version: 1 | 2 } {
  const { algorithm, hctVersion, blockSize, blockChecksums, level } = options;
  if (level !== undefined && algorithm === undefined) throw new UsageError('--level is for --algorithm zstd');
  const version = hctVersion === '1' ? 1 : 2;
  // Version 1 has no checksums to leave out.
  return { algorithm, version, blockSize, level, blockChecksums: version === 2 && blockChecksums };
}

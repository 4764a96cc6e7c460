import { encodeModel, type ModelCompressionOptions } from '../../models/directory/encodeModel.js';
import { modelFolderSink } from '../../models/directory/modelFolder.js';
import { ByteStageStream } from '../../operators/stageStream.js';
import { HctSink } from '../../sinks/hct.js';
import { streamSource } from '../../sources/stream.js';
import { HctStreamEncoder } from '../../src/hct/encoder.js';
import { UsageError } from '../failure.js';
import { openOutput, STANDARD, tellLeftover, writeOutput } from '../files.js';
import { openModelFiles, totalSize } from '../input/modelInput.js';
import { openTensor } from '../input/tensorInput.js';
import type { EncodeOptions } from '../options.js';
import type { Outcome } from '../output.js';
import { counted, startProgress } from '../progress.js';

/** Encodes one tensor to an HCT file or to standard output. */
export async function encodeHct(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const compression = compressionOptions(options);
  await using tensor = await openTensor(names, options, { signal });
  const { dtype, shape, byteLength } = tensor;
  const name = compression.version === 2 ? tensor.name : undefined;
  const file = { ...compression, dtype, shape, name };
  using progress = startProgress('encoding', byteLength);
  const stream = streamSource(counted(tensor.chunks, progress)).stream({ signal });
  if (options.output === STANDARD) {
    // A pipe cannot seek: the compressed blocks wait in memory until the index is known.
    const encoder = new ByteStageStream(HctStreamEncoder.factory(file));
    await writeOutput(STANDARD, stream.pipeThrough(encoder), { signal });
    return { tensors: 1, originalSize: byteLength, fileSize: byteLength };
  }
  await using sink = await openOutput(options.output);
  const target = new HctSink(sink, file);
  await stream.pipeTo(target);
  const { originalSize, fileSize } = await target.stats;
  return { tensors: 1, originalSize, fileSize };
}

/** Encodes a safetensors model, in one file or in shards, to a directory of HCT files. */
export async function encodeDirectory(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const compression = compressionOptions(options);
  await using model = await openModelFiles(names, { signal });
  if (model.files.some(({ layout }) => layout !== undefined)) {
    throw new UsageError(
      'A model directory is made of safetensors files; end the output with .holo.safetensors',
    );
  }
  if (model.beside.length > 0)
    throw new UsageError('An ONNX model is encoded from a file whose name ends with .onnx');
  const folder = await modelFolderSink(options.output, { onLeftover: tellLeftover });
  using progress = startProgress('encoding', totalSize(model));
  try {
    const onProgress = (bytes: number) => progress.advance(bytes);
    const { tensors } = await encodeModel(model.files, folder.openFile, {
      ...compression,
      signal,
      onProgress,
    });
    await folder.close();
    const raw = tensors.filter(({ format }) => format === 'raw').length;
    return {
      tensors: tensors.length,
      originalSize: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
      fileSize: tensors.reduce((sum, { fileSize }) => sum + fileSize, 0),
      more: { data: { kept: raw }, words: raw === 0 ? [] : [`${raw} kept as raw bytes`] },
    };
  } catch (error) {
    await folder.abort();
    throw error;
  }
}

function compressionOptions(options: EncodeOptions): ModelCompressionOptions & { readonly version: 1 | 2 } {
  // LZ4 makes real weights larger than they are.
  const { algorithm = 'zstd', hctVersion, blockSize, blockChecksums, level } = options;
  const version = hctVersion === '1' ? 1 : 2;
  // Version 1 has no checksums to leave out.
  return { algorithm, version, blockSize, level, blockChecksums: version === 2 && blockChecksums };
}

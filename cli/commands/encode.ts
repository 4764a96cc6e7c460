import { HctEncoderStream } from '../../operators/hct/encodeHct.js';
import { fileSink } from '../../sinks/file.js';
import { modelFolderSink } from '../../sinks/modelFolder.js';
import { streamSource } from '../../sources/stream.js';
import type { CompressionAlgorithm } from '../../src/codecs/codec.js';
import type { DType } from '../../src/dtype.js';
import { type HctEncodeOptions, HctWriter } from '../../src/hct/index.js';
import { encodeModel, type ModelCompressionOptions } from '../../src/model/encodeModel.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { CommandContext } from '../context.js';
import { UsageError } from '../failure.js';
import { isDirectory } from '../fileKind.js';
import { openInput, STANDARD } from '../input.js';
import { writeOutput } from '../output.js';
import { counted, startProgress } from '../progress.js';
import { openRawTensor, openSafetensorsTensor, type TensorInput } from '../tensorInput.js';

export interface EncodeOptions {
  readonly output: string;
  readonly tensor?: string;
  readonly dtype?: DType;
  readonly shape?: readonly number[];
  readonly algorithm: CompressionAlgorithm;
  readonly hctVersion: '1' | '2';
  readonly blockSize?: number;
  readonly blockChecksums: boolean;
  readonly level?: number;
}

export async function encode(context: CommandContext, input: string, options: EncodeOptions): Promise<void> {
  const { output } = options;
  if (output.endsWith('/') || (await isDirectory(output))) return encodeToDirectory(context, input, options);
  if (output !== STANDARD && !output.endsWith('.hct')) {
    throw new UsageError(`cannot tell the format of ${output}: end it with .hct, or with / for a directory`);
  }
  await using tensor = await openTensor(context, input, options);
  const compression = compressionOptions(options);
  const { dtype, shape } = tensor;
  const name = compression.version === 2 ? tensor.name : undefined;
  const file = { ...compression, dtype, shape, name };
  const progress = startProgress('encoding', tensor.byteLength);
  try {
    const chunks = counted(tensor.chunks, progress);
    if (output === STANDARD) await encodeToPipe(chunks, file, context.signal);
    else await encodeToFile(chunks, file, output, context.signal);
  } finally {
    progress.stop();
  }
}

async function encodeToFile(
  chunks: AsyncIterable<Uint8Array>,
  options: HctEncodeOptions,
  output: string,
  signal: AbortSignal,
): Promise<void> {
  const writer = new HctWriter(await fileSink(output), { ...options, signal });
  try {
    for await (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

/** A pipe cannot seek: the compressed blocks wait in memory until the index is known. */
async function encodeToPipe(
  chunks: AsyncIterable<Uint8Array>,
  options: HctEncodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const encoded = streamSource(chunks).stream({ signal }).pipeThrough(new HctEncoderStream(options));
  await writeOutput(STANDARD, encoded, { signal });
}

async function openTensor(
  { signal }: CommandContext,
  input: string,
  { tensor, dtype, shape }: EncodeOptions,
): Promise<TensorInput> {
  if (dtype === undefined && shape === undefined) return openSafetensorsTensor(input, tensor, signal);
  if (tensor !== undefined)
    throw new UsageError('--tensor is for safetensors files, --dtype and --shape for raw bytes');
  if (dtype === undefined || shape === undefined)
    throw new UsageError('raw bytes need both --dtype and --shape');
  return openRawTensor(input, { dtype, shape }, signal);
}

async function encodeToDirectory(
  { signal }: CommandContext,
  input: string,
  options: EncodeOptions,
): Promise<void> {
  if (options.tensor !== undefined || options.dtype !== undefined || options.shape !== undefined) {
    throw new UsageError('--tensor, --dtype and --shape are for a single tensor, not for a directory');
  }
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
  const folder = await modelFolderSink(options.output);
  const progress = startProgress('encoding', model.size);
  try {
    const onProgress = (bytes: number) => progress.advance(bytes);
    await encodeModel(model, folder.openFile, { ...compressionOptions(options), signal, onProgress });
    await folder.close();
  } catch (error) {
    await folder.abort();
    throw error;
  } finally {
    progress.stop();
  }
}

function compressionOptions(options: EncodeOptions): ModelCompressionOptions & { readonly version: 1 | 2 } {
  const { algorithm, hctVersion, blockSize, blockChecksums, level } = options;
  if (level !== undefined && algorithm !== 'zstd') throw new UsageError('--level is for --algorithm zstd');
  const version = hctVersion === '1' ? 1 : 2;
  // Version 1 has no checksums to leave out.
  return { algorithm, version, blockSize, level, blockChecksums: version === 2 && blockChecksums };
}

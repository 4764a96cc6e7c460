import { HctWriter } from '../../sinks/index.js';
import { readChunks } from '../../sources/read.js';
import { limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { callback, check, checkOptions, type Rules } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { HCT_MAX_BLOCK_BYTES, HCT_MAX_RANK } from '../../src/hct/constants.js';
import { HCT_ENCODE_RULES, type HctEncodeOptions } from '../../src/hct/encoder.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import { discard, type RandomAccessSource, type SeekableSink } from '../../src/source.js';
import { DTYPES } from '../../src/tensor/dtype.js';
import { type ModelSourceFile, readModelSource, SOURCE_FILES } from '../file/sourceFiles.js';
import { FileNames, isPlainFileName } from './fileNames.js';
import {
  MANIFEST_NAME,
  type ManifestTensor,
  type ModelFileFormat,
  type ModelManifest,
  serializeManifest,
} from './manifest.js';
import { TensorHash } from './tensorHash.js';

/** Compression of the tensors. Names and shapes are those of the model. */
export type ModelCompressionOptions = Pick<
  HctEncodeOptions,
  'version' | 'algorithm' | 'level' | 'blockSize' | 'blockChecksums' | 'implementation'
>;

export interface EncodeModelOptions extends ModelCompressionOptions, OpenOptions {
  /** Called with the number of further bytes of tensors that have been read. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

const RULES: Rules<EncodeModelOptions> = { ...HCT_ENCODE_RULES, ...OPEN_RULES, onProgress: callback };

/**
 * Turns a safetensors file into the files of a model directory: one HCT file per tensor, or its plain bytes where HCT
 * has no such dtype or cannot hold the size; the manifest last, with the headers of the model's files, unless it would have more than
 * `limits.manifestBytes`, or a file's name is not plain. Memory: one chunk and one HCT writer, whatever the size of the model.
 *
 * @param model one file, or all shards of a model
 * @param openFile creates the sink of a file with this plain name
 * @throws FormatError, SourceError; it aborts the open sink before
 */
export async function encodeModel(
  model: RandomAccessSource | readonly ModelSourceFile[],
  openFile: (name: string) => Promise<SeekableSink>,
  options: EncodeModelOptions = {},
): Promise<ModelManifest> {
  const { signal, limits } = checkOptions(options, RULES);
  check('openFile', openFile, callback);
  const files = Array.isArray(model)
    ? (model as readonly ModelSourceFile[])
    : [{ name: 'model.safetensors', source: model as RandomAccessSource }];
  check('model', files, SOURCE_FILES);
  const source = await readModelSource(files, { signal, limits });
  const kernels = await loadKernels(['xxh3']);
  const names = new FileNames();
  const tensors: ManifestTensor[] = [];
  for (const { source: from, offset, isBetween: _, ...tensor } of source.tensors) {
    const format = formatFor(tensor);
    const file = names.next(tensor.name, `.${format}`);
    const hash = new TensorHash(kernels);
    const chunks = hashed(readChunks(from, offset, tensor.byteLength, options), hash, options);
    const write = format === 'hct' ? writeHct : writeRaw;
    const fileSize = await write(await openFile(file), chunks, tensor, options);
    tensors.push({ ...tensor, xxh3: hash.digest(), file, format, fileSize });
  }
  const bare = { metadata: source.metadata, tensors };
  const encoder = new TextEncoder();
  const write = async (manifest: ModelManifest, bytes = encoder.encode(serializeManifest(manifest))) => {
    await writeRaw(await openFile(MANIFEST_NAME), [bytes]);
    return manifest;
  };
  // Files of other names could not be written by their names again.
  if (!source.files.every(({ name }) => isPlainFileName(name))) return write(bare);
  const whole = { ...bare, files: source.files };
  const bytes = encoder.encode(serializeManifest(whole));
  return bytes.length <= limitsOf(options).manifestBytes ? write(whole, bytes) : write(bare);
}

type TensorFacts = Omit<SafetensorsTensor, 'offset'>;

/** The format of the file that a tensor becomes. */
export function formatFor({
  dtype,
  shape,
  byteLength,
}: Pick<TensorFacts, 'dtype' | 'shape' | 'byteLength'>): ModelFileFormat {
  const known = (DTYPES as readonly string[]).includes(dtype);
  return known && shape.length > 0 && byteLength <= HCT_MAX_BLOCK_BYTES ? 'hct' : 'raw';
}

async function writeHct(
  sink: SeekableSink,
  chunks: AsyncIterable<Uint8Array>,
  { name, dtype, shape }: TensorFacts,
  options: EncodeModelOptions,
): Promise<number> {
  const elementType = DTYPES.find((known) => known === dtype)!;
  // Version 1 has no place for a name or a fourth dimension; the manifest has.
  const first = options.version === 1;
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  let writer: HctWriter | undefined;
  try {
    writer = new HctWriter(sink, {
      ...options,
      dtype: elementType,
      shape: first && shape.length > HCT_MAX_RANK ? [elements] : shape,
      name: first ? undefined : name,
      // Progress counts the bytes of all tensors, read here; the writer's would count those of one.
      onProgress: undefined,
    });
    for await (const chunk of chunks) await writer.write(chunk);
    const { fileSize } = await writer.close();
    return fileSize;
  } catch (error) {
    await discard(writer ?? sink, error);
    throw error;
  }
}

async function writeRaw(
  sink: SeekableSink,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  let position = 0;
  try {
    for await (const chunk of chunks) {
      await sink.write(chunk, position);
      position += chunk.length;
    }
    await sink.close();
    return position;
  } catch (error) {
    await discard(sink, error);
    throw error;
  }
}

/** The same chunks, hashed and counted as they pass. */
async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: TensorHash,
  { onProgress }: EncodeModelOptions,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
    onProgress?.(chunk.length);
  }
}

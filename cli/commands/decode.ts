import { modelFolder } from '../../models/directory/modelFolder.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import { NpyEncoderStream } from '../../operators/npy.js';
import { fileSource } from '../../sources/file.js';
import { streamSource } from '../../sources/stream.js';
import { UnsupportedError } from '../../src/errors.js';
import { isSafetensorsDType } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { CommandContext } from '../context.js';
import { decodeToFolder, decodeToOneFile } from '../decode/model.js';
import { type FragmentChoice, openEncodedTensor } from '../encodedInput.js';
import { UsageError } from '../failure.js';
import { formatOfFile, isDirectory } from '../fileKind.js';
import { STANDARD } from '../files.js';
import { writeOutput } from '../output.js';
import { counted, startProgress } from '../progress.js';
import type { TensorInput } from '../tensorInput.js';

export interface DecodeOptions extends FragmentChoice {
  readonly output: string;
}

/** What the elements of one tensor are put into. */
type TensorFormat = (tensor: TensorInput, chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

export async function decode(
  context: CommandContext,
  input: string,
  { output, ...choice }: DecodeOptions,
): Promise<void> {
  if (await isDirectory(input)) return decodeDirectory(context, input, output);
  if (input !== STANDARD && (await isModelFile(input)))
    return decodeModelFile(context, input, output, choice);
  const format = formatOf(output);
  await using tensor = await openEncodedTensor(input, choice, context.signal);
  const progress = startProgress('decoding', tensor.byteLength);
  try {
    const chunks = counted(tensor.chunks, progress);
    await writeOutput(output, format(tensor, chunks), context);
  } finally {
    progress.stop();
  }
}

function formatOf(output: string): TensorFormat {
  if (output === STANDARD || output.endsWith('.raw')) return (_, chunks) => chunks;
  if (output.endsWith('.npy')) return encodeNpy;
  if (output.endsWith('.safetensors')) return toSafetensors;
  throw new UsageError(`cannot tell the format of ${output}: end it with .raw, .npy or .safetensors`);
}

/** A file of one tensor; safetensors wants a name even where the HCT file has none. */
async function* toSafetensors(
  { name = 'tensor', dtype, shape }: TensorInput,
  chunks: AsyncIterable<Uint8Array>,
) {
  if (!isSafetensorsDType(dtype))
    throw new UnsupportedError('safetensors has no such dtype', { actual: dtype });
  yield serializeSafetensorsHeader([{ name, dtype, shape }]).bytes;
  yield* chunks;
}

function encodeNpy({ dtype, shape }: TensorInput, chunks: AsyncIterable<Uint8Array>) {
  return streamSource(chunks).stream().pipeThrough(new NpyEncoderStream(dtype, shape));
}

async function isModelFile(path: string): Promise<boolean> {
  await using source = await fileSource(path);
  return (await formatOfFile(source, path)) === 'model-file';
}

async function decodeModelFile(
  { signal }: CommandContext,
  input: string,
  output: string,
  { fragments, quality }: FragmentChoice,
): Promise<void> {
  if (fragments !== undefined || quality !== undefined) {
    throw new UsageError('--fragments and --quality are for HoloTensor files; this is a model file');
  }
  const toFolder = output.endsWith('/') || (await isDirectory(output));
  if (!toFolder && output !== STANDARD && !output.endsWith('.safetensors')) {
    throw new UsageError(`a model file becomes a .safetensors file or a directory, not ${output}`);
  }
  await using source = await fileSource(input);
  const progress = startProgress('decoding', source.size);
  try {
    await (toFolder ? decodeToFolder : decodeToOneFile)(source, output, progress, signal);
  } finally {
    progress.stop();
  }
}

async function decodeDirectory({ signal }: CommandContext, input: string, output: string): Promise<void> {
  if (output !== STANDARD && !output.endsWith('.safetensors')) {
    throw new UsageError(`a model directory becomes a .safetensors file, not ${output}`);
  }
  const model = await ModelReader.open(modelFolder(input), { signal });
  const { tensors } = model.manifest;
  const total = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const progress = startProgress('decoding', total);
  try {
    await writeOutput(output, counted(safetensorsOf(model, signal), progress), { signal });
  } finally {
    progress.stop();
  }
}

async function* safetensorsOf(model: ModelReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { metadata, tensors } = model.manifest;
  yield serializeSafetensorsHeader(tensors, metadata).bytes;
  for (const tensor of tensors) yield* model.chunks(tensor, { signal });
}

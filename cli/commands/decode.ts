import { NpyEncoderStream } from '../../operators/npy.js';
import { fileSource } from '../../sources/file.js';
import { streamSource } from '../../sources/stream.js';
import { UnsupportedError } from '../../src/errors.js';
import { isSafetensorsDType } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { quote } from '../../src/show.js';
import { decodeDirectory, decodeFromModelFile } from '../decode/model.js';
import { type FragmentChoice, openEncodedTensor } from '../encodedInput.js';
import { UsageError } from '../failure.js';
import { formatOfFile, isDirectory, STANDARD, writeOutput } from '../files.js';
import { counted, startProgress } from '../progress.js';
import type { TensorInput } from '../tensorInput.js';

export interface DecodeOptions extends FragmentChoice {
  readonly output: string;
}

/** A format for the elements of one tensor. */
type TensorFormat = (tensor: TensorInput, chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

export async function decode(
  input: string,
  { output, ...choice }: DecodeOptions,
  signal: AbortSignal,
): Promise<void> {
  if (await isDirectory(input)) return decodeDirectory(input, output, signal);
  if (input !== STANDARD && (await isModelFile(input, signal))) {
    if (choice.fragments !== undefined || choice.quality !== undefined) {
      throw new UsageError('--fragments and --quality are for HoloTensor files; this is a model file');
    }
    return decodeFromModelFile(input, output, signal);
  }
  return decodeTensor(input, output, choice, signal);
}

async function isModelFile(path: string, signal: AbortSignal): Promise<boolean> {
  await using source = await fileSource(path);
  return (await formatOfFile(source, path, signal)) === 'model-file';
}

async function decodeTensor(
  input: string,
  output: string,
  choice: FragmentChoice,
  signal: AbortSignal,
): Promise<void> {
  const format = formatOf(output);
  await using tensor = await openEncodedTensor(input, choice, signal);
  using progress = startProgress('decoding', tensor.byteLength);
  await writeOutput(output, format(tensor, counted(tensor.chunks, progress)), signal);
}

function formatOf(output: string): TensorFormat {
  if (output === STANDARD || output.endsWith('.raw')) return (_, chunks) => chunks;
  if (output.endsWith('.npy')) return encodeNpy;
  if (output.endsWith('.safetensors')) return toSafetensors;
  throw new UsageError(`Cannot tell the format of ${quote(output)}: end it with .raw, .npy or .safetensors`);
}

/** A file of one tensor; safetensors wants a name even where the HCT file has none. */
async function* toSafetensors(
  { name = 'tensor', dtype, shape }: TensorInput,
  chunks: AsyncIterable<Uint8Array>,
) {
  if (!isSafetensorsDType(dtype))
    throw new UnsupportedError('Cannot write the tensor to safetensors: it has no such dtype', {
      actual: dtype,
    });
  yield serializeSafetensorsHeader([{ name, dtype, shape }]).bytes;
  yield* chunks;
}

function encodeNpy({ dtype, shape }: TensorInput, chunks: AsyncIterable<Uint8Array>) {
  return streamSource(chunks).stream().pipeThrough(new NpyEncoderStream(dtype, shape));
}

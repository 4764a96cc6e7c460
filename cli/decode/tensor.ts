import { ByteStageStream } from '../../operators/stageStream.js';
import { streamSource } from '../../sources/stream.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UnsupportedError } from '../../src/errors.js';
import { NpyEncoder } from '../../src/npy/stages.js';
import { isSafetensorsDType } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../src/source.js';
import { UsageError } from '../failure.js';
import { STANDARD, writeOutput } from '../files.js';
import { type DecodedTensor, openEncodedTensor, openHctStream } from '../input/encodedInput.js';
import type { FragmentChoice } from '../input/fragmentChoice.js';
import type { TensorInput } from '../input/tensorInput.js';
import type { Outcome } from '../output.js';
import { counted, startProgress } from '../progress.js';

/** A format for the elements of one tensor. */
type TensorFormat = (tensor: TensorInput, chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

interface TensorFile {
  readonly source: RandomAccessSource;
  readonly format: 'hct' | 'holotensor';
}

/** Decodes an HCT or HoloTensor file to raw bytes, a NumPy or a safetensors file. */
export function decodeTensorFile(
  { source, format }: TensorFile,
  output: string,
  choice: FragmentChoice,
  options: OpenOptions,
): Promise<Outcome> {
  return decodeTensor(() => openEncodedTensor(source, format, choice, options), output, options);
}

/** The same of standard input that is HCT. */
export function decodeHctStream(
  stream: ReadableStream<Uint8Array>,
  output: string,
  choice: FragmentChoice,
  options: OpenOptions,
): Promise<Outcome> {
  return decodeTensor(() => openHctStream(stream, choice, options), output, options);
}

async function decodeTensor(
  open: () => Promise<DecodedTensor>,
  output: string,
  options: OpenOptions,
): Promise<Outcome> {
  const format = formatOfOutput(output);
  await using tensor = await open();
  using progress = startProgress('decoding', tensor.byteLength);
  await writeOutput(output, format(tensor, counted(tensor.chunks, progress)), options);
  const { byteLength, used } = tensor;
  return { tensors: 1, originalSize: byteLength, fileSize: byteLength, ...(used && { more: used }) };
}

function formatOfOutput(output: string): TensorFormat {
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
  const encoder = new NpyEncoder(dtype, shape);
  return streamSource(chunks)
    .stream()
    .pipeThrough(new ByteStageStream(() => encoder));
}

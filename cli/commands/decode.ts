import { recogniseFormat } from '../../models/inputs/formats.js';
import type { PieceChoice } from '../../models/plain/choosePieces.js';
import { NpyEncoderStream } from '../../operators/npy.js';
import { streamSource } from '../../sources/stream.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UnsupportedError } from '../../src/errors.js';
import { isSafetensorsDType } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { decodeDirectory, decodeFromModelFile } from '../decode/model.js';
import { UsageError } from '../failure.js';
import { peek, STANDARD, standardInput, writeOutput } from '../files.js';
import {
  type DecodedTensor,
  type FragmentChoice,
  openEncodedTensor,
  openHctStream,
  refuseChoice,
} from '../input/encodedInput.js';
import { formatOf, type ModelInput, openModelInput } from '../input/modelInput.js';
import type { TensorInput } from '../input/tensorInput.js';
import { checkOutput, type Outcome, type OutputChoice, reportOutcome } from '../output.js';
import { counted, startProgress } from '../progress.js';
import type { WorkersChoice } from '../threads.js';

export interface DecodeOptions extends FragmentChoice, OutputChoice {}

/** A format for the elements of one tensor. */
type TensorFormat = (tensor: TensorInput, chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

export async function decode(
  name: string,
  chosen: DecodeOptions,
  options: OpenOptions & WorkersChoice,
): Promise<void> {
  const { output, force: _force, json: _json, ...choice } = chosen;
  const { fragments, quality, bytes } = choice;
  if ([fragments, quality, bytes].filter((one) => one !== undefined).length > 1) {
    throw new UsageError('--fragments, --quality and --bytes exclude each other');
  }
  await checkOutput(chosen);
  await reportOutcome(chosen, () => decodeInput(name, output, choice, options));
}

async function decodeInput(
  name: string,
  output: string,
  choice: FragmentChoice,
  options: OpenOptions & WorkersChoice,
): Promise<Outcome> {
  if (name !== STANDARD) {
    await using input = await openModelInput([name], options);
    return await decodeOpened(name, input, output, choice, options);
  }
  const { start, input: stream } = await peek(standardInput(), PROBE_SIZE, options);
  // Anything that is not known must be HCT, which is not kept in memory: its parser says what is wrong.
  if ((recogniseFormat(start) ?? 'hct') === 'hct') {
    return decodeTensor(() => openHctStream(stream.stream(options), choice, options), output, options);
  }
  await using input = await openModelInput([name], options, stream);
  return await decodeOpened('standard input', input, output, choice, options);
}

async function decodeOpened(
  name: string,
  input: ModelInput,
  output: string,
  choice: FragmentChoice,
  { workers, ...options }: OpenOptions & WorkersChoice,
): Promise<Outcome> {
  if (input.kind === 'directory') refuseChoice(choice, 'a model directory');
  if (input.kind === 'directory') return await decodeDirectory(input.reader, output, options);
  if (input.kind === 'shards') {
    throw new UsageError(`${quote(name)} is a model in several files: decode each of them`);
  }
  const format = await formatOf(input, options);
  if (format === 'safetensors') {
    throw new UsageError(`${quote(name)} is a safetensors file: it needs no decoding`);
  }
  if (format !== 'model-file') {
    const open = () => openEncodedTensor(input.source, format, choice, options);
    return await decodeTensor(open, output, options);
  }
  return await decodeFromModelFile(input.source, output, pieceChoice(choice), { ...options, workers });
}

/** Of a model file: of each tensor the first n fragments, as n or as a range from 0 on. */
function pieceChoice({ fragments = [], quality, bytes, tensor }: FragmentChoice): PieceChoice {
  const [first, ...others] = fragments;
  if (first === undefined) return { quality, bytes, tensors: tensor };
  if (others.length === 0 && first > 0) return { fragments: first, tensors: tensor };
  const isStart = others.length > 0 && fragments.every((index, i) => index === i);
  if (isStart) return { fragments: fragments.length, tensors: tensor };
  throw new UsageError('--fragments of a model file is a number, of each tensor the first n, or a range 0-2');
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
  return streamSource(chunks).stream().pipeThrough(new NpyEncoderStream(dtype, shape));
}

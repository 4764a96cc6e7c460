import { recogniseFormat } from '../../models/inputs/formats.js';
import type { PieceChoice } from '../../models/plain/choosePieces.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { peek, STANDARD, standardInput } from '../files.js';
import { type FragmentChoice, refuseChoice } from '../input/fragmentChoice.js';
import { formatOf, type ModelInput, openModelInput } from '../input/modelInput.js';
import { checkOutput, type Outcome, type OutputChoice, reportOutcome } from '../output.js';
import type { WorkersChoice } from '../threads.js';

export interface DecodeOptions extends FragmentChoice, OutputChoice {}

// One kind of input needs a part of the modules that all of them need.
const decodesTensors = () => import('../decode/tensor.js');
const decodesModels = () => import('../decode/model.js');
const decodesDirectories = () => import('../decode/directory.js');

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
    const { decodeHctStream } = await decodesTensors();
    return await decodeHctStream(stream.stream(options), output, choice, options);
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
  if (input.kind === 'directory') {
    refuseChoice(choice, 'a model directory');
    return await (await decodesDirectories()).decodeDirectory(input.reader, output, options);
  }
  if (input.kind === 'shards') {
    throw new UsageError(`${quote(name)} is a model in several files: decode each of them`);
  }
  const format = await formatOf(input, options);
  if (format === 'safetensors') {
    throw new UsageError(`${quote(name)} is a safetensors file: it needs no decoding`);
  }
  if (format !== 'model-file') {
    const { decodeTensorFile } = await decodesTensors();
    return await decodeTensorFile({ ...input, format }, output, choice, options);
  }
  const { decodeFromModelFile } = await decodesModels();
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

import { StageStream } from '../../operators/stageStream.js';
import { readHctChunks } from '../../readers/hctChunks.js';
import { HctSourceReader } from '../../readers/hctSourceReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import type { LimitsOption, OpenOptions } from '../../src/checks/limits.js';
import { inPlace } from '../../src/errors/placed.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import { HctDecompressor, HctVerifier } from '../../src/hct/blockStages.js';
import { hasShapeInExtension } from '../../src/hct/header.js';
import { HctParser } from '../../src/hct/parser.js';
import type { HctDecodedPart } from '../../src/hct/parts.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { DataError, UsageError } from '../failure.js';
import { STANDARD_INPUT } from '../files.js';
import { describeReach, describeReconstruction, isCutOff, reachOfTensor } from '../reach.js';
import { counted } from '../report.js';
import { tell } from '../terminal.js';
import { type FragmentChoice, refuseChoice } from './fragmentChoice.js';
import { closing, type TensorInput } from './tensorInput.js';

/** A tensor that is decoded while it is read. */
export interface DecodedTensor extends TensorInput {
  /** Of fragments, what is used of them: for the summary of the command. */
  readonly used?: { readonly data: object; readonly words: readonly string[] };
}

/** The tensor of an HCT or HoloTensor file, decoded and verified while it is read. */
export function openEncodedTensor(
  source: RandomAccessSource,
  format: 'hct' | 'holotensor',
  choice: FragmentChoice,
  options: OpenOptions,
): Promise<DecodedTensor> {
  return (format === 'hct' ? openHct : openHolo)(source, choice, options);
}

async function openHct(
  source: RandomAccessSource,
  choice: FragmentChoice,
  options: OpenOptions,
): Promise<TensorInput> {
  refuseChoice(choice, 'HCT');
  const reader = await HctSourceReader.open(source, options);
  const { name, shape } = reader;
  const { dtype, originalSize } = reader.header;
  const chunks = readHctChunks(reader, options);
  return { name, dtype, shape, byteLength: originalSize, chunks, ...closing(source) };
}

/** The same of standard input: HCT is not kept in memory. */
export async function openHctStream(
  stream: ReadableStream<Uint8Array>,
  choice: FragmentChoice,
  options: LimitsOption,
): Promise<TensorInput> {
  refuseChoice(choice, 'HCT');
  const parts = decodedParts(stream, options);
  const { value: start } = await parts.next();
  if (start?.kind !== 'start')
    throw new FormatError('Cannot decode the input: it is not HCT', { file: STANDARD_INPUT });
  const { header } = start;
  if (hasShapeInExtension(header)) {
    throw new UnsupportedError('Cannot decode HCT from a pipe if its shape is at the end: use a file');
  }
  const { dtype, shape, originalSize } = header;
  return { name: undefined, dtype, shape, byteLength: originalSize, chunks: dataOf(parts), ...closing() };
}

async function* decodedParts(
  stream: ReadableStream<Uint8Array>,
  options: LimitsOption,
): AsyncGenerator<HctDecodedPart> {
  try {
    yield* stream
      .pipeThrough(new StageStream(() => new HctParser(options)))
      .pipeThrough(new StageStream(async () => new HctVerifier(await loadKernels(['xxh3']))))
      .pipeThrough(new StageStream(() => new HctDecompressor()));
  } catch (error) {
    throw inPlace(error, { file: STANDARD_INPUT });
  }
}

async function* dataOf(parts: AsyncGenerator<HctDecodedPart>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) if (part.kind === 'data') yield part.bytes;
}

async function openHolo(
  source: RandomAccessSource,
  { fragments, quality, bytes: end, tensor }: FragmentChoice,
  options: OpenOptions,
): Promise<DecodedTensor> {
  if (tensor !== undefined) throw new UsageError('--tensor is for model files; this is one tensor');
  const reader = await HoloTensorReader.open(source, { ...options, partial: true });
  const how = { dtype: 'source', signal: options.signal } as const;
  assertFragments(fragments, reader);
  const indexes = fragments ?? (end === undefined ? undefined : within(reader, end));
  const read = await (indexes !== undefined
    ? reader.readFragments(indexes, how)
    : quality !== undefined
      ? reader.readToQuality(quality, how)
      : reader.readAll(how));
  if (read.quality.cosine === 0) throw showsNothing(reader.header.encoding, indexes);
  const { dtype, shape, data } = read;
  const reach = reachOfTensor(reader, source);
  const description = describeReconstruction(read);
  if (isCutOff(reach)) tell(`holostream: ${describeReach(reach)}, ${description}`);
  const { cosine, predicted } = read.quality;
  const used = {
    data: { fragments: read.fragments, totalFragments: read.total, quality: cosine, predicted },
    words: [description],
  };
  const bytes = viewBytes(data);
  const chunks = once(bytes);
  return { name: undefined, dtype, shape, byteLength: bytes.length, chunks, used, ...closing(source) };
}

/** @throws UsageError for fragments that the file does not have */
function assertFragments(fragments: readonly number[] = [], { header }: HoloTensorReader): void {
  const count = Math.max(1, header.totalFragments);
  const unknown = fragments.find((index) => index >= count);
  if (unknown === undefined) return;
  throw new UsageError(
    `--fragments ${unknown}: the file has ${counted(count, 'fragment')}, from 0 to ${count - 1}`,
  );
}

/** What would be written are zeros. */
function showsNothing(encoding: string, indexes: readonly number[] = []): DataError {
  const chosen = indexes.length === 1 ? `fragment ${indexes[0]} shows` : 'these fragments show';
  const last = indexes.reduce((most, index) => Math.max(most, index), 0);
  const instead = last === 0 ? '' : `, such as --fragments 0-${last}`;
  return new DataError(
    `Cannot decode the tensor: ${chosen} nothing; ${encoding} needs those before${instead}`,
  );
}

/** The fragments in the first bytes of a file. */
function within({ available, dataStart }: HoloTensorReader, end: number): number[] {
  const inside = available.filter(({ offset, compressedSize }) => dataStart + offset + compressedSize <= end);
  if (inside.length === 0) throw new UsageError('--bytes ends before the end of the first fragment');
  return inside.map(({ index }) => index);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

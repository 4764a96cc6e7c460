import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { fileKind } from '../../src/bytes/fileKind.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { loadDecodingOf } from '../../src/encodings/decodings.js';
import { quote, show } from '../../src/errors/show.js';
import { UnsupportedError } from '../../src/errors.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import type { RandomAccessSource } from '../../src/source.js';
import { elementCount } from '../../src/tensor/dtype.js';
import { type Similarity, similarity } from '../../src/tensor/similarity.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import { UsageError } from '../failure.js';
import { openEncodedTensor } from '../input/encodedInput.js';
import { filesOf, type ModelInput, openModelInput } from '../input/modelInput.js';
import { npyTensor } from '../input/npyInput.js';
import { collectInput, modelTensor, rawTensor, type TensorInput } from '../input/tensorInput.js';
import { startProgress } from '../progress.js';
import { describeReach, isCutOff, reachOfTensor } from '../reach.js';
import { plot, table } from '../report.js';
import type { QualityReport } from '../svg.js';
import { shareOfPlain } from './modelFile.js';

/** The original to compare with: a file, and the name of its tensor if it holds several. */
export interface Original {
  readonly against?: string;
  readonly tensor?: string;
}

/** The quality of a file after fragments 0 to `fragments` − 1. */
interface Prefix {
  readonly fragments: number;
  /** Bytes of the file up to there, with header and index. */
  readonly bytes: number;
  readonly fraction: number;
  readonly predicted: number;
  /** As the file says; undefined if it does not say. */
  readonly cosine: number | undefined;
  readonly relativeError: number | undefined;
  /** Measured against the given original. */
  readonly measured?: Similarity;
}

/** The quality of a HoloTensor file after each of its fragments. */
export async function holotensorQuality(
  source: RandomAccessSource,
  { against, tensor }: Original,
  options: OpenOptions,
): Promise<QualityReport> {
  const reader = await HoloTensorReader.open(source, { ...options, partial: true });
  const original = against === undefined ? undefined : await readOriginal(reader, against, tensor, options);
  const prefixes = await measure(reader, original, options);
  const { originalSize } = reader.header;
  const reach = reachOfTensor(reader, source);
  const cut = isCutOff(reach) ? [describeReach(reach), ''] : [];
  const { available, fileSize } = reach;
  const points = prefixes.map(({ bytes, measured, cosine, predicted }) => ({
    ...{ bytes, quality: measured?.cosine ?? cosine ?? predicted },
  }));
  return {
    ...{ originalSize, points },
    data: { originalSize, available, fileSize, prefixes },
    lines: [...cut, ...describe(prefixes, originalSize)],
  };
}

/** Adds fragment after fragment. */
async function measure(
  reader: HoloTensorReader,
  original: Float32Array | undefined,
  options: OpenOptions,
): Promise<Prefix[]> {
  const { header, available, dataStart } = reader;
  await loadDecodingOf(header);
  const decoder = new HoloTensorDecoder(header, options);
  const sizes = new Map(available.map(({ index, compressedSize }) => [index, compressedSize]));
  const prefixes: Prefix[] = [];
  const values = new Float32Array(original === undefined ? 0 : decoder.elements);
  using progress = startProgress('measuring', header.originalSize);
  let bytes = dataStart;
  for (let index = 0; index < decoder.total; index++) {
    const size = sizes.get(index);
    if (size === undefined) continue;
    decoder.addFragment(await reader.readFragment(index, options));
    bytes += size;
    // Before the bytes so far pay for numbers, there are none.
    if (!decoder.usable) continue;
    const measured = original && { measured: similarity(original, decoder.reconstruct(values)) };
    prefixes.push({ fragments: index + 1, bytes, ...decoder.quality, ...measured });
    progress.advance(header.originalSize / decoder.total);
  }
  return prefixes;
}

/** The values that the file was made from: an HCT file, a tensor of a safetensors file, or raw elements. */
async function readOriginal(
  { header }: HoloTensorReader,
  path: string,
  name: string | undefined,
  options: OpenOptions,
): Promise<Float32Array> {
  await using input = await openOriginal(path, name, header, options);
  if (elementCount(input.shape) !== elementCount(header.shape)) {
    throw new UsageError(`${quote(path)} holds a tensor of another size: ${show(input.shape)}`);
  }
  using progress = startProgress('reading', input.byteLength);
  return toFloat32(await collectInput(input, progress));
}

async function openOriginal(
  path: string,
  name: string | undefined,
  header: HoloTensorReader['header'],
  options: OpenOptions,
): Promise<TensorInput> {
  const input = await openModelInput([path], options);
  try {
    return await originalOf(input, path, name, header, options);
  } catch (error) {
    await input[Symbol.asyncDispose]();
    throw error;
  }
}

async function originalOf(
  input: ModelInput,
  path: string,
  name: string | undefined,
  header: HoloTensorReader['header'],
  options: OpenOptions,
): Promise<TensorInput> {
  if (input.kind !== 'file' || input.format === 'safetensors') {
    return modelTensor(await filesOf(input, options), [path], name, options);
  }
  if (name !== undefined) throw new UsageError('--tensor is for safetensors files');
  if (fileKind(input.start) === 'NumPy') {
    const array = await npyTensor(input.source, 'F32', options);
    return { name: undefined, ...array, [Symbol.asyncDispose]: () => input[Symbol.asyncDispose]() };
  }
  if (input.format === undefined) return rawTensor(input.source, path, header, options);
  if (input.format === 'hct') return openEncodedTensor(input.source, input.format, {}, options);
  throw new UnsupportedError('Cannot compare with the file: fragments are not an original', { name: path });
}

function describe(prefixes: readonly Prefix[], originalSize: number): string[] {
  const compared = prefixes.some(({ measured }) => measured !== undefined);
  const head = ['fragments', 'bytes', 'of plain', 'fraction', 'predicted', 'cosine', 'rel. error'];
  const rows = prefixes.map(({ fragments, bytes, fraction, predicted, cosine, relativeError, measured }) => [
    String(fragments),
    String(bytes),
    shareOfPlain(bytes, originalSize),
    fraction.toFixed(4),
    predicted.toFixed(4),
    cosine?.toFixed(6) ?? 'unknown',
    relativeError?.toExponential(2) ?? 'unknown',
    ...(measured ? [measured.cosine.toFixed(6), measured.relativeError.toExponential(2)] : []),
  ]);
  const columns = compared ? [...head, 'measured', 'error'] : head;
  const points = prefixes.map((prefix) => ({
    x: prefix.bytes,
    y: prefix.measured?.cosine ?? prefix.cosine ?? prefix.predicted,
  }));
  return [...table(columns, rows), '', ...plot(points, 'cosine', 'bytes')];
}

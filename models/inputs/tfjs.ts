import { type JoinedPart, joinedSource, sourcePart } from '../../sources/joined.js';
import { readStart, readWhole } from '../../sources/read.js';
import { sizeOf } from '../../sources/sizeOf.js';
import { inTurns } from '../../src/async/steps.js';
import { beyondLimit, limitsOf } from '../../src/checks/limits.js';
import { FormatError, TruncatedError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import {
  dequantizeWeight,
  parseWeightsManifest,
  type TfjsGroup,
  type TfjsWeight,
} from '../../src/tfjs/weightsManifest.js';
import { eachBounded } from '../../workers/eachBounded.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { OtherFiles } from './otherFiles.js';
import { weightsFile } from './weightsFile.js';
import { wholeParts } from './wholeParts.js';

const WHAT = 'Cannot read the weights of model.json';

/** A network of TensorFlow.js: its weights as a safetensors file. The `model.json` itself stays as it is. */
export async function openTfjs(
  source: RandomAccessSource,
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.json', openBeside } = options;
  const limits = limitsOf(options);
  const tooLarge = () => beyondLimit(limits, 'manifestBytes', `${WHAT}: it is too large`, { name });
  const json = await readWhole(source, limits.manifestBytes, tooLarge, options);
  const groups = parseWeightsManifest(json, name, limits);
  const files = new OtherFiles(WHAT, openBeside);
  try {
    const whole = wholeParts();
    const contents = new Map<TfjsWeight, JoinedPart>();
    for (const group of groups) {
      const shards = await openGroup(group, files, options);
      for (const weight of group.weights) contents.set(weight, partOf(weight, shards, whole));
    }
    const { file } = weightsFile(name, /\.json$/i, contents);
    return { files: [file], beside: [], close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** The files of a group, one after another. */
async function openGroup(
  { paths, weights, byteLength }: TfjsGroup,
  files: OtherFiles,
  options: ForeignModelOptions,
): Promise<RandomAccessSource> {
  const opened: RandomAccessSource[] = [];
  for (const path of paths) opened.push(await files.open(path, weights[0]?.name));
  const lengths = new Map<RandomAccessSource, number>();
  const { concurrency } = limitsOf(options);
  const find = async (file: RandomAccessSource, signal: AbortSignal) => {
    lengths.set(file, await lengthOf(file, { ...options, signal }));
  };
  await eachBounded(opened, concurrency, find, options.signal);
  const parts = opened.map((file) => sourcePart(file, 0, lengths.get(file)!));
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size === byteLength) return joinedSource(parts);
  const details = { file: paths[0], expected: `${byteLength} bytes`, actual: size };
  throw size < byteLength
    ? new TruncatedError(`${WHAT}: their files end before they do`, details)
    : new FormatError(`${WHAT}: their files have more bytes than they`, details);
}

/** Of a file on a server, the first response says it: without one, the file would be read to its end. */
async function lengthOf(file: RandomAccessSource, options: ForeignModelOptions): Promise<number> {
  if (file.size !== undefined) return file.size;
  const start = await readStart(file, 1, options);
  return sizeOf(file, start.length, options);
}

function partOf(
  { dtype, byteLength, stored }: TfjsWeight,
  shards: RandomAccessSource,
  whole: ReturnType<typeof wholeParts>,
): JoinedPart {
  const { quantization } = stored;
  if (quantization === undefined) return sourcePart(shards, stored.offset, byteLength);
  return whole(byteLength, async (options) => {
    const bytes = await shards.read(stored.offset, stored.byteLength, options);
    return inTurns(dequantizeWeight(bytes, dtype, quantization), options.signal);
  });
}

import { readInto } from '../../sources/read.js';
import { ReusedMemory } from '../../src/bytes/reusedMemory.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import {
  callback,
  check,
  checkOptions,
  having,
  object,
  oneOf,
  type Rule,
  type Rules,
  text,
} from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { quote } from '../../src/errors/show.js';
import { ArgumentError } from '../../src/errors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { assertSink, discard, type SeekableSink } from '../../src/source.js';
import { type Bound, boundByBytes } from '../../workers/bound.js';
import { eachBounded } from '../../workers/eachBounded.js';
import { loadPool } from '../../workers/loadPool.js';
import type { WorkersOption } from '../../workers/pool.js';
import { WORKERS } from '../../workers/task.js';
import { isPlainFileName } from '../directory/fileNames.js';
import { type TensorOrder, tensorWeight } from '../tensorWeight.js';
import { assembleModelFile, type TensorJob } from './assemble.js';
import {
  askedFragments,
  checkFragmentOptions,
  cutBy,
  type EncodeTools,
  encodeTensor,
  type FragmentOptions,
  isShort,
  isWorthEncoding,
  type TensorMemory,
} from './encodeTensor.js';
import { formatHash, MAX_WEIGHT, WEIGHT } from './plan.js';
import {
  type LocatedTensor,
  type ModelSource,
  type ModelSourceFile,
  readModelSource,
  SOURCE_FILES,
} from './sourceFiles.js';
import { findStagedTensor, type StagingStore, stageTensor, withSmallInMemory } from './stagingStore.js';

export interface EncodeModelFileOptions extends OpenOptions, WorkersOption {
  /** How tensors are cut into fragments. Default: the embedded encoding, which is lossless. */
  readonly encode?: FragmentOptions | undefined;
  /** How tensors count in the quality of the model, and so in the order of the file. Default 'balanced'. */
  readonly order?: TensorOrder | undefined;
  /**
   * A factor of the weight that `order` gives to the tensor of this name, 0 or larger; undefined is 1.
   */
  readonly importance?: ((name: string) => number | undefined) | undefined;
  /** Tensors to store plain, whatever their size. */
  readonly keep?: ((name: string) => boolean) | undefined;
  /** The text of the shard index, if the model comes in shards: decoding restores it. */
  readonly index?: string | undefined;
  /** Called with the bytes of tensors encoded so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

const RULES: Rules<EncodeModelFileOptions> = {
  ...OPEN_RULES,
  workers: WORKERS,
  // What is in them is checked by the encoder.
  encode: object,
  order: /* @__PURE__ */ oneOf(['balanced', 'elements']),
  importance: callback,
  keep: callback,
  index: text,
  onProgress: callback,
};

const STAGING: Rule<StagingStore> = /* @__PURE__ */ having(
  'create',
  'a staging store, such as memoryStagingStore()',
);

/** Sizes in bytes. */
export interface ModelFileStats {
  /** All tensors, and those of them that were cut into fragments. */
  readonly tensors: number;
  readonly encoded: number;
  /**
   * Cut tensors with fewer fragments than `encode` asks for, in their number or by qualities: their bits cannot be divided
   * that finely. Those below 1,024 elements, which are in two parts, do not count.
   */
  readonly fewerFragments: number;
  /** Of the tensors' elements. */
  readonly originalSize: number;
  readonly fileSize: number;
}

/**
 * Turns safetensors files into one model file: a valid safetensors file whose one tensor is all fragments, sorted by quality
 * gain per byte, so every prefix is a whole model at some quality. Memory: the largest tensor and its encoder's memory,
 * times a small constant; with workers, that many of them more. The file is the same with any number of workers.
 *
 * @param inputs their names are plain, and what decoding calls the files
 * @throws FormatError, SourceError for inputs that cannot be read, SourceChangedError for those that change meanwhile;
 *   ChecksumError for a staging store that does; ArgumentError for options that cannot work and for
 *   tensors that the encoding cannot carry. It aborts the sink before; the staging store keeps the encoded tensors.
 */
export async function encodeModelFile(
  inputs: readonly ModelSourceFile[],
  sink: SeekableSink,
  staging: StagingStore,
  options: EncodeModelFileOptions = {},
): Promise<ModelFileStats> {
  checkOptions(options, RULES);
  check('inputs', inputs, SOURCE_FILES);
  check('staging', staging, STAGING);
  assertSink(sink);
  try {
    if (inputs.length === 0) throw new ArgumentError('Cannot encode the model: it has no files');
    for (const { name } of inputs) {
      if (!isPlainFileName(name))
        throw new ArgumentError('Cannot encode the model: the name of a file is not plain', { name });
    }
    const kernels = await loadKernels();
    checkFragmentOptions(options.encode ?? {});
    const model = await readModelSource(inputs, options);
    const [codec, pool] = await Promise.all([loadCodec('zstd'), loadPool(options.workers)]);
    const sizes = model.tensors.map(({ byteLength }) => byteLength);
    const bound = boundByBytes(
      sizes,
      ([, { byteLength }]: readonly [number, LocatedTensor]) => byteLength,
      pool,
    );
    const { most } = bound.weight;
    // Payloads are smaller than their tensors.
    const memory = { tensors: new ReusedMemory(most), payloads: new ReusedMemory(most / 2) };
    const store = withSmallInMemory(staging, (entry) => {
      const tensor = model.tensors[Number(entry)]!;
      return isShort(tensor) ? tensor.byteLength : undefined;
    });
    const jobs = await stageTensors(model, store, { kernels, codec, pool, memory }, bound, options);
    const fileSize = await assembleModelFile(model, jobs, sink, store, kernels, memory.tensors, options);
    const encoded = jobs.flatMap(({ tensor, staged }) => (staged === undefined ? [] : { tensor, staged }));
    const asked = askedFragments(options.encode ?? {}) ?? 0;
    return {
      tensors: jobs.length,
      encoded: encoded.length,
      fewerFragments: encoded.filter(
        ({ tensor, staged }) => !isShort(tensor) && staged.cosines.length < asked,
      ).length,
      originalSize: totalSize(model),
      fileSize,
    };
  } catch (error) {
    await discard(sink, error);
    throw error;
  }
}

/**
 * Raised when encoders cut by the same options in other places: what an earlier version has staged is encoded again, so that
 * a file has one ladder of qualities.
 */
export const CUTS_VERSION = 6;

interface StageTools extends EncodeTools {
  readonly memory: TensorMemory;
}

async function stageTensors(
  model: ModelSource,
  staging: StagingStore,
  tools: StageTools,
  bound: Bound<readonly [number, LocatedTensor]>,
  options: EncodeModelFileOptions,
): Promise<TensorJob[]> {
  const { memory } = tools;
  const { onProgress } = options;
  const isCut = cutTensors(options.keep);
  const total = totalSize(model);
  const jobs: TensorJob[] = [];
  let done = 0;
  const work = async ([number, tensor]: readonly [number, LocatedTensor], signal: AbortSignal) => {
    const { offset, byteLength } = tensor;
    const bytes = memory.tensors.take(byteLength);
    await readInto(tensor.source, offset, bytes, { signal });
    const weight = weightOf(tensor, options);
    if (isCut(tensor)) {
      const entry = String(number);
      const job = await stage(tensor, bytes, staging, entry, tools, { ...options, signal });
      jobs[number] = { ...job, weight };
    } else {
      jobs[number] = { tensor, staged: undefined, hash: formatHash(tools.kernels.xxh3(bytes)), weight };
      memory.tensors.give(bytes.buffer);
    }
    done += byteLength;
    onProgress?.(done, total);
  };
  await eachBounded(model.tensors.entries(), bound, work, options.signal);
  return jobs;
}

/** Which tensors of a model are cut into fragments; the others are stored plain. */
export function cutTensors(keep: EncodeModelFileOptions['keep']): (tensor: LocatedTensor) => boolean {
  return (tensor) => (isWorthEncoding(tensor) || isShort(tensor)) && keep?.(tensor.name) !== true;
}

/** Gives the memory of the tensor's bytes back. */
async function stage(
  tensor: LocatedTensor,
  bytes: Uint8Array,
  staging: StagingStore,
  entry: string,
  tools: StageTools,
  { encode = {}, signal }: EncodeModelFileOptions,
): Promise<Omit<TensorJob, 'weight'>> {
  const { kernels, memory } = tools;
  const { name, dtype, shape } = tensor;
  const facts = [CUTS_VERSION, name, dtype, shape, formatHash(kernels.xxh3(bytes)), cutBy(tensor, encode)];
  // A seed is a bigint.
  const fingerprint = JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  let staged = await findStagedTensor(staging, entry, fingerprint, kernels, { signal });
  if (staged === undefined) {
    const { cosines, pieces, room } = await encodeTensor(tensor, bytes, encode, tools, {
      signal,
      memory,
    });
    staged = await stageTensor(staging, entry, { fingerprint, cosines }, pieces, kernels, { signal });
    if (room !== undefined) memory.payloads.give(room);
  } else memory.tensors.give(bytes.buffer);
  return { tensor, staged, hash: staged.hashes[0]! };
}

/** How a tensor counts in the quality of the model. @throws ArgumentError */
export function weightOf(
  { name, shape, isBetween }: LocatedTensor,
  { order, importance }: Pick<EncodeModelFileOptions, 'order' | 'importance'>,
): number {
  if (isBetween) return 0;
  const factor = importance?.(name) ?? 1;
  check(`importance (of ${quote(name)})`, factor, WEIGHT);
  return Math.min(MAX_WEIGHT, factor * tensorWeight(shape, order));
}

function totalSize({ tensors }: ModelSource): number {
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

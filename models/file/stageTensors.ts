import { readInto } from '../../sources/read.js';
import { check } from '../../src/checks/options.js';
import { quote } from '../../src/errors/show.js';
import type { Bound } from '../../workers/bound.js';
import { eachBounded } from '../../workers/eachBounded.js';
import { MIN_WORKER_BYTES } from '../../workers/task.js';
import { tensorWeight } from '../tensorWeight.js';
import type { TensorJob } from './assemble.js';
import type { EncodeModelFileOptions } from './encodeOptions.js';
import {
  cutBy,
  type EncodeTools,
  encodeTensor,
  isShort,
  isWorthEncoding,
  type TensorMemory,
} from './encodeTensor.js';
import { formatHash, MAX_WEIGHT, WEIGHT } from './plan.js';
import type { LocatedTensor, ModelSource } from './sourceFiles.js';
import { findStagedTensor, type StagingStore, stageTensor } from './stagingStore.js';

/**
 * Raised when encoders cut by the same options in other places: what an earlier version has staged is encoded again, so that
 * a file has one ladder of qualities.
 */
export const CUTS_VERSION = 6;

interface StageTools extends EncodeTools {
  readonly memory: TensorMemory;
}

export async function stageTensors(
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
  await eachBounded(workOrder(model.tensors, tools.pool), bound, work, options.signal);
  return jobs;
}

/**
 * Tensors, numbered, in the order of work: the largest first, so that all threads end together, and small ones, which this thread
 * encodes itself, once the others have work.
 */
function workOrder(
  tensors: readonly LocatedTensor[],
  pool: EncodeTools['pool'],
): (readonly [number, LocatedTensor])[] {
  const entries = [...tensors.entries()];
  if (pool === undefined) return entries;
  const sizeOf = ([, { byteLength }]: (typeof entries)[number]) => byteLength;
  const large = entries.filter((one) => sizeOf(one) >= MIN_WORKER_BYTES.encoding);
  large.sort((a, b) => sizeOf(b) - sizeOf(a));
  const small = entries.filter((one) => sizeOf(one) < MIN_WORKER_BYTES.encoding);
  return [...large.slice(0, pool.capacity), ...small, ...large.slice(pool.capacity)];
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

/** Bytes of the elements of all tensors. */
export function totalSize({ tensors }: ModelSource): number {
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

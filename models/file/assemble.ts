import type { ReusedMemory } from '../../src/bytes/reusedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SourceChangedError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { ReadOptions, SeekableSink } from '../../src/source.js';
import type { Bound } from '../../workers/bound.js';
import { inOrder } from '../../workers/inOrder.js';
import { CHECKSUM_KEY, NO_CHECKSUM, sealHeader } from './headerChecksum.js';
import { OpenEntries } from './openEntries.js';
import { DATA_NAME, formatHash, MODEL_FILE_VERSION, PLAN_KEY, VERSION_KEY } from './plan.js';
import { scanOrder } from './scanOrder.js';
import { serializeModelPlan } from './serializePlan.js';
import type { LocatedTensor, ModelSource } from './sourceFiles.js';
import { type EntryReader, readStagedPiece, type StagedTensor, type StagingStore } from './stagingStore.js';

/** Plain tensors up to this size come before all fragments: a model does not work without them. */
const SMALL_TENSOR = 65536;

/** What decides where the pieces of an encoded tensor go. */
type PieceSizes = Pick<StagedTensor, 'sizes' | 'cosines'>;

/** A tensor to write: encoded, in the staging store or elsewhere, or copied from its source. */
export interface TensorJob<S extends PieceSizes = StagedTensor> {
  readonly tensor: LocatedTensor;
  /** Undefined for a tensor that is stored plain. */
  readonly staged: S | undefined;
  /** XXH3-64 of the header piece, or of the whole tensor. */
  readonly hash: string;
  /** In the quality of the model. */
  readonly weight: number;
}

/** A run of bytes of the written file: a plain tensor, or piece `piece` of an encoded one (0 is its header). */
export interface Part<S extends PieceSizes = StagedTensor> {
  readonly job: TensorJob<S>;
  readonly piece: number;
  readonly size: number;
}

/** A file before it is written. */
export interface ModelFileLayout<S extends PieceSizes = StagedTensor> {
  /** All bytes before the parts. */
  readonly start: Uint8Array;
  readonly parts: readonly Part<S>[];
  readonly fileSize: number;
}

/** Lays out the file, once all tensors are encoded and their sizes are known. */
export function layOutModelFile<S extends PieceSizes>(
  model: Pick<ModelSource, 'files' | 'metadata'>,
  jobs: readonly TensorJob<S>[],
  index: string | undefined,
): ModelFileLayout<S> {
  const parts = orderParts(jobs);
  const dataSize = parts.reduce((sum, { size }) => sum + size, 0);
  const data = { name: DATA_NAME, dtype: 'U8', shape: [dataSize] } as const;
  const { header, bytes } = serializeSafetensorsHeader([data], metadataOf(model, jobs, parts, index));
  sealHeader(bytes);
  return { start: bytes, parts, fileSize: header.fileSize };
}

/**
 * Lays out and writes the file.
 * @returns the size of the file in bytes
 */
export async function assembleModelFile(
  model: ModelSource,
  jobs: readonly TensorJob[],
  sink: SeekableSink,
  staging: StagingStore,
  kernels: Pick<Kernels, 'xxh3'>,
  memory: ReusedMemory,
  options: AbortOptions & { readonly index?: string | undefined },
): Promise<number> {
  const { start, parts, fileSize } = layOutModelFile(model, jobs, options.index);
  await sink.write(start, 0);
  const entries = new OpenEntries(staging);
  const read = async (part: Part, signal: AbortSignal) => {
    const room = memory.take(part.size);
    return { room, bytes: await readPart(part, entries, kernels, { signal, into: room }) };
  };
  let position = start.length;
  try {
    for await (const { room, bytes } of inOrder(parts, READ_AHEAD, read, options.signal)) {
      options.signal?.throwIfAborted();
      await sink.write(bytes, position);
      position += bytes.length;
      memory.give(room.buffer);
    }
  } finally {
    await entries.close();
  }
  await sink.close();
  return fileSize;
}

/** Parts are read while others are written. */
const READ_AHEAD: Bound<Part> = { items: 4, weight: { most: 2 ** 24, of: ({ size }) => size } };

/** Headers and small tensors first, then all other parts by their quality gain per byte. */
function orderParts<S extends PieceSizes>(jobs: readonly TensorJob<S>[]): Part<S>[] {
  const whole = (job: TensorJob<S>): Part<S> => ({ job, piece: 0, size: job.tensor.byteLength });
  const isFirst = ({ staged, tensor }: TensorJob<S>) =>
    staged !== undefined || tensor.isBetween === true || tensor.byteLength <= SMALL_TENSOR;
  const first = jobs.filter(isFirst).map((job) => {
    return job.staged === undefined ? whole(job) : { job, piece: 0, size: job.staged.sizes[0]! };
  });
  const rest = jobs.filter((job) => job.staged !== undefined || !isFirst(job));
  const order = scanOrder(
    rest.map(({ staged, weight, tensor }) => ({
      weight,
      sizes: staged?.sizes.slice(1) ?? [tensor.byteLength],
      cosines: staged?.cosines ?? [1],
    })),
  );
  return [
    ...first,
    ...order.map(({ tensor, fragment }) => {
      const job = rest[tensor]!;
      if (job.staged === undefined) return whole(job);
      return { job, piece: fragment + 1, size: job.staged.sizes[fragment + 1]! };
    }),
  ];
}

function metadataOf<S extends PieceSizes>(
  { files, metadata }: Pick<ModelSource, 'files' | 'metadata'>,
  jobs: readonly TensorJob<S>[],
  parts: readonly Part<S>[],
  index: string | undefined,
): Map<string, string> {
  const numbers = new Map(jobs.map((job, number) => [job, number]));
  const plan = serializeModelPlan({
    files,
    index,
    tensors: jobs.map(({ weight, hash, staged }) => ({ weight, hash, encoded: staged })),
    order: parts.map(({ job }) => numbers.get(job)!),
  });
  const own = new Map([
    [CHECKSUM_KEY, NO_CHECKSUM],
    [VERSION_KEY, String(MODEL_FILE_VERSION)],
    [PLAN_KEY, plan],
  ]);
  return new Map([...own, ...metadata]);
}

/** @throws ChecksumError, SourceChangedError when the bytes are not those that were encoded */
export async function readPart(
  { job: { tensor, staged, hash }, piece }: Part,
  staging: EntryReader,
  kernels: Pick<Kernels, 'xxh3'>,
  options: ReadOptions,
): Promise<Uint8Array> {
  if (staged !== undefined) return readStagedPiece(staging, staged, piece, kernels, options);
  const { name, source, offset, byteLength } = tensor;
  const bytes = await source.read(offset, byteLength, options);
  const actual = formatHash(kernels.xxh3(bytes));
  if (actual !== hash) {
    throw new SourceChangedError('Cannot encode the model: a tensor has changed since it was read first', {
      name,
      expected: hash,
      actual,
    });
  }
  return bytes;
}

import type { PartialOption } from '../../readers/partial.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { kernelLoader, loadKernels } from '../../src/kernels/loadKernels.js';
import type { RandomAccessSource } from '../../src/source.js';
import { elementCount } from '../../src/tensor/dtype.js';
import type { WorkerPool } from '../../workers/pool.js';
import { MIN_WORKER_BYTES } from '../../workers/task.js';
import { MAX_SHORT } from '../file/firstPiece.js';
import { type ModelFile, type ModelFileTensor, readModelFile } from '../file/modelFile.js';
import { ModelTensorDecoder, readFirstPiece } from '../file/tensorDecoder.js';
import {
  type LoadableTensor,
  type LoadPiece,
  type ModelContent,
  type PieceDecoder,
  sharedFile,
} from './content.js';
import { rowReader } from './wholeTensor.js';

/** A model file: fragments of tensors, and small tensors stored plain. */
export async function openModelFile(
  source: RandomAccessSource,
  options: OpenOptions & PartialOption,
): Promise<ModelContent> {
  return modelFileContent(await readModelFile(source, options), source);
}

/** The same of a model file whose header has been read. */
export function modelFileContent(
  { plan, metadata, tensors, available: size, fileSize, checksum }: ModelFile,
  source: RandomAccessSource,
): ModelContent {
  const file = sharedFile(source);
  const version = size < fileSize ? `${checksum}-${size}` : checksum;
  return {
    format: 'model-file',
    metadata,
    tensors: tensors.map((tensor) => loadableTensor(tensor, source, file, size)),
    files: plan.files.map((one) => ({ ...one, version: async () => version })),
    close: async () => source.close?.(),
  };
}

/** @param size of the model file in bytes: fewer than its header says where it ends early */
export function loadableTensor(
  tensor: ModelFileTensor,
  source: RandomAccessSource,
  file = sharedFile(source),
  size = Infinity,
): LoadableTensor {
  const { name, dtype, shape, byteLength, weight, encoded, pieces } = tensor;
  // The header piece alone gives no numbers.
  const cosines = encoded === undefined ? [1] : [0, ...encoded.cosines];
  return {
    name,
    dtype,
    shape,
    byteLength,
    weight,
    pieces: available(
      pieces.map(({ offset, length }, i) => ({ file, offset, length, cosine: cosines[i]! })),
      size,
    ),
    createDecoder: (...options) => createDecoder(tensor, ...options),
    openPieces: isForWorkers(tensor)
      ? async (bytes, options) => {
          // Loaded on demand, because pages decode piece by piece.
          const [kernels, { openPieces }] = await Promise.all([
            loadKernels(['xxh3']),
            import('../file/openPieces.js'),
          ]);
          return openPieces(tensor, bytes, readFirstPiece(tensor, bytes[0]!, kernels), kernels, options);
        }
      : undefined,
    readRows: readerOfRows(tensor, source),
  };
}

function readerOfRows(tensor: ModelFileTensor, source: RandomAccessSource): LoadableTensor['readRows'] {
  const { encoded, pieces, shape } = tensor;
  if (encoded === undefined) return rowReader({ ...tensor, offset: pieces[0]!.offset }, source);
  // Small ones are read whole: a few kilobytes.
  if (elementCount(shape) > MAX_SHORT) return undefined;
  return async (start, end, options) => {
    const { readShortRows } = await import('../rows.js');
    const decoder = await createDecoder(tensor, new Budget(limitsOf()));
    return readShortRows(decoder, pieces, source, start, end, options);
  };
}

/** The first pieces of a tensor, as far as a file of this size has them; none where they bring no numbers. */
function available(pieces: readonly LoadPiece[], size: number): readonly LoadPiece[] {
  const end = pieces.findIndex(({ offset, length }) => offset + length > size);
  if (end < 0) return pieces;
  return pieces.slice(0, pieces[end - 1]?.cosine ? end : 0);
}

function isForWorkers({ encoded, byteLength }: ModelFileTensor): boolean {
  return encoded !== undefined && byteLength >= MIN_WORKER_BYTES.reconstruction;
}

async function createDecoder(
  tensor: ModelFileTensor,
  budget: Budget,
  pool?: WorkerPool,
): Promise<PieceDecoder> {
  // What has opened the file has loaded them, and to ask for them takes a while.
  const kernels = kernelLoader.loaded(['xxh3']) ?? (await loadKernels(['xxh3']));
  if (pool === undefined || !isForWorkers(tensor)) return new ModelTensorDecoder(tensor, kernels, budget);
  const { WorkerTensorDecoder } = await import('../file/workerTensorDecoder.js');
  return new WorkerTensorDecoder(tensor, (bytes) => readFirstPiece(tensor, bytes, kernels), pool, budget);
}

import { readSafetensorsHeader } from '../../readers/safetensors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import type { AbortOptions, RandomAccessSource } from '../../src/source.js';
import { viewElements } from '../../src/tensor/views.js';
import { MIN_WORKER_BYTES } from '../../workers/pool.js';
import { isModelFileHeader } from '../file/headerChecksum.js';
import { readModelFile } from '../file/modelFile.js';
import { ModelTensorDecoder } from '../file/tensorDecoder.js';
import { WorkerTensorDecoder } from '../file/workerTensorDecoder.js';
import { rowReader } from '../rows.js';
import { type LoadableTensor, type ModelContent, type PieceFile, sharedFile } from './content.js';
import { WholeDecoder } from './wholeTensor.js';

/** Bytes that tell a model file from another safetensors file. */
const PROBE_SIZE = 64;

/** A safetensors file: a model file of fragments, or a plain one. */
export async function openSafetensors(
  source: RandomAccessSource,
  options: AbortOptions,
): Promise<ModelContent> {
  const probe = await source.read(0, Math.min(PROBE_SIZE, source.size ?? PROBE_SIZE), options);
  return isModelFileHeader(probe) ? openFragments(source, options) : openPlain(source, options);
}

async function openFragments(source: RandomAccessSource, options: AbortOptions): Promise<ModelContent> {
  const file = await readModelFile(source, options);
  const shared = sharedFile(source);
  const tensors = file.tensors.map((tensor): LoadableTensor => {
    const { name, dtype, shape, byteLength, encoded, pieces } = tensor;
    // The header piece alone is worth nothing.
    const cosines = encoded === undefined ? [1] : [0, ...encoded.cosines];
    const readRows = encoded === undefined ? rowReader(tensor, source, pieces[0]!.offset) : undefined;
    return {
      name,
      dtype,
      shape,
      byteLength,
      pieces: pieces.map(({ offset, length }, i) => {
        return { file: shared, offset, length, cosine: cosines[i]! };
      }),
      createDecoder: async (pool) => {
        const kernels = await loadKernels();
        const inWorker =
          pool !== undefined && encoded !== undefined && byteLength >= MIN_WORKER_BYTES.reconstruction;
        return inWorker
          ? new WorkerTensorDecoder(tensor, kernels, pool)
          : new ModelTensorDecoder(tensor, kernels);
      },
      readRows,
    };
  });
  return {
    format: 'model-file',
    metadata: file.metadata,
    tensors,
    headerSize: file.dataStart,
    close: async () => source.close?.(),
  };
}

async function openPlain(source: RandomAccessSource, options: AbortOptions): Promise<ModelContent> {
  const header = await readSafetensorsHeader(source, options);
  const shared = sharedFile(source);
  return {
    format: 'safetensors',
    metadata: header.metadata,
    tensors: header.tensors.map((tensor) => plainTensor(tensor, source, shared)),
    headerSize: header.byteLength,
    close: async () => source.close?.(),
  };
}

function plainTensor(tensor: SafetensorsTensor, source: RandomAccessSource, file: PieceFile): LoadableTensor {
  const { name, dtype, shape, byteLength, offset } = tensor;
  return {
    name,
    dtype,
    shape,
    byteLength,
    pieces: [{ file, offset, length: byteLength, cosine: 1 }],
    createDecoder: async () =>
      new WholeDecoder(async (bytes) => ({ dtype, shape, data: viewElements(dtype, bytes) })),
    readRows: rowReader(tensor, source, offset),
  };
}

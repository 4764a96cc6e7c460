import { copyAll, isShared } from '../../src/bytes/sharedMemory.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import type { DecodePiecesOptions } from '../inputs/content.js';
import type { ModelFileTensor } from './modelFile.js';
import type { FirstPiece } from './tensorDecoder.js';

/**
 * Decodes an encoded tensor by one task of a worker. What is in shared memory goes there and comes back without a copy.
 * @param pieces its first ones
 * @param readFirst verifies and parses the first of them: pages that decode without workers have what does
 * @throws ChecksumError, CodecError, FormatError, LimitError; WorkerError when the worker died; the reason of the signal
 */
export async function decodeInWorker(
  tensor: ModelFileTensor,
  pieces: readonly Uint8Array[],
  readFirst: (bytes: Uint8Array) => FirstPiece,
  { budget, pool, out, signal }: DecodePiecesOptions,
): Promise<Tensor> {
  const { header, layout } = readFirst(pieces[0]!);
  // The worker counts the bytes of this tensor itself.
  const { limits, received } = budget;
  budget.received += pieces.reduce((sum, { length }) => sum + length, 0);
  budget.spend({ bytes: tensor.byteLength, steps: 0 });
  const { data } = await pool.runPrepared(
    'reconstructStored',
    (buffers) => {
      const shared = pieces.every(({ buffer }) => isShared(buffer));
      const [first, ...stored] = shared ? pieces : copyAll(pieces, (size) => buffers.take(size));
      return {
        input: {
          header,
          fragments: stored.map((bytes, i) => ({ entry: layout.entries[i]!, stored: bytes })),
          options: { limits, dtype: 'source' },
          received,
          out,
        },
        transfer: out === undefined ? [] : [out.buffer],
        borrowed: shared ? [] : [first!.buffer],
      };
    },
    { signal },
  );
  const { dtype, shape } = tensor;
  // Shared memory comes back as another object, by which nobody knows it.
  const own = out !== undefined && isShared(out.buffer) ? viewElements(dtype, out) : data;
  return { dtype, shape, data: own };
}

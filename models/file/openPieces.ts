import { inTurns } from '../../src/async/steps.js';
import { copyAll } from '../../src/bytes/localCopies.js';
import { isShared } from '../../src/bytes/sharedMemory.js';
import { RANGE_STEPS } from '../../src/encodings/encoding.js';
import type { StoredTensor } from '../../src/holotensor/tasks.js';
import { verifying } from '../../src/holotensor/unpack.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { byteLengthOf, elementCount } from '../../src/tensor/dtype.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import type { OpenedPieces, OpenPiecesOptions } from '../inputs/content.js';
import type { ModelFileTensor } from './modelFile.js';
import type { FirstPiece } from './tensorDecoder.js';

/**
 * Verifies the pieces of an encoded tensor, from which ranges of it are to be decoded: each range is one task, of a worker or of this thread. What is in shared
 * memory goes to workers and comes back without a copy.
 * @param pieces its first ones
 * @param firstPiece what is in the first of them
 */
export async function openPieces(
  { shape }: ModelFileTensor,
  pieces: readonly Uint8Array[],
  { header, layout }: FirstPiece,
  kernels: Pick<Kernels, 'hashing'>,
  { budget, by, signal }: OpenPiecesOptions,
): Promise<OpenedPieces> {
  const { limits, received } = budget;
  budget.received += pieces.reduce((sum, { length }) => sum + length, 0);
  const { entries, header: parsed } = layout;
  // Here, once for all ranges.
  for (const [i, stored] of pieces.slice(1).entries()) {
    await inTurns(verifying({ header: parsed, entry: entries[i]!, stored }, kernels), signal);
  }
  const whole = { start: 0, end: elementCount(shape) };
  const inputOf = (
    range: StoredTensor['options']['range'],
    all: readonly Uint8Array[],
    out?: Uint8Array,
  ) => ({
    header,
    fragments: all.slice(1).map((stored, i) => ({ entry: entries[i]!, stored })),
    options: { limits, dtype: 'source', range, verify: false } as const,
    // The task counts the bytes of this tensor itself.
    received,
    out,
  });
  return {
    rangeStep: RANGE_STEPS[parsed.encoding],
    async decode(range, { signal, out }) {
      const { start, end } = range ?? whole;
      budget.spend({ bytes: byteLengthOf(parsed.dtype, end - start), steps: 0 });
      if (typeof by === 'function') {
        const never = new AbortController().signal;
        const { output } = await by(inputOf(range, pieces, out), signal ?? never);
        return viewBytes(output.data);
      }
      const { data } = await by.runPrepared(
        'reconstructStored',
        (buffers) => {
          const shared = pieces.every(({ buffer }) => isShared(buffer));
          const all = shared ? pieces : copyAll(pieces, (size) => buffers.take(size));
          return {
            input: inputOf(range, all, out),
            transfer: out === undefined ? [] : [out.buffer],
            borrowed: shared ? [] : [all[0]!.buffer],
          };
        },
        { signal },
      );
      // Shared memory comes back as another object, by which nobody knows it.
      return out !== undefined && isShared(out.buffer) ? out : viewBytes(data);
    },
  };
}

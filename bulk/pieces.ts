import { type Part, readPart, type TensorJob } from '../models/file/assemble.js';
import { formatHash } from '../models/file/plan.js';
import type { StagedTensor } from '../models/file/stagingStore.js';
import { ChecksumError, FormatError } from '../src/errors.js';
import { lostUnit } from './lostUnit.js';
import type { DividedTensor, Window } from './notes.js';
import type { UnitContext } from './unitContext.js';
import { storedUnits, unitObject, unitOf } from './unitFile.js';

/** What a join makes the model file of: plain tensors, pieces of encoded ones, and windows of pieces of divided ones. */

export type JoinJob = TensorJob<StagedTensor | DividedTensor>;

/** Bytes that are read together. */
export interface Piece {
  readonly part: Part<StagedTensor | DividedTensor>;
  readonly size: number;
  /** Where they are, if the tensor was divided. */
  readonly window: Window | undefined;
}

export function piecesOf(part: Piece['part']): Piece[] {
  const { staged } = part.job;
  if (staged === undefined || !('windows' in staged)) return [{ part, size: part.size, window: undefined }];
  return staged.windows[part.piece]!.map((window) => ({ part, size: window.size, window }));
}

/**
 * Reads pieces. A unit that is damaged is deleted, so that the next run encodes it.
 * @throws SourceError, which is retryable, for a unit that is damaged or has gone
 */
export function pieceReader({ storage, tools }: Pick<UnitContext, 'storage' | 'tools'>) {
  const units = storedUnits(storage);
  return async ({ part, window }: Piece, signal: AbortSignal): Promise<Uint8Array> => {
    const { tensor, staged } = part.job;
    const key =
      staged === undefined
        ? undefined
        : 'windows' in staged
          ? staged.objects[window!.object]!
          : unitOf(staged.entry);
    try {
      if (window === undefined) return await readPart(part as Part, units, tools.kernels, { signal });
      const { offset, size, hash } = window;
      const bytes = await storage.read(unitObject(key!), offset, size, { signal });
      const actual = formatHash(tools.kernels.xxh3(bytes));
      if (actual === hash) return bytes;
      throw new ChecksumError('Cannot use an encoded range: wrong checksum', {
        name: key,
        expected: BigInt(`0x${hash}`),
        actual: BigInt(`0x${actual}`),
      });
    } catch (error) {
      if (key === undefined || signal.aborted) throw error;
      // Another read may have found it damaged.
      const isLost =
        error instanceof FormatError || (await storage.head(unitObject(key), { signal })) === undefined;
      if (!isLost) throw error;
      throw await lostUnit(storage, key, error, { signal, name: tensor.name });
    }
  };
}

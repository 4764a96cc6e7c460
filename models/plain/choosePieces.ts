import type { ReusedMemory } from '../../src/bytes/reusedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { allocating, type Budget, checkTensorBytes, type LimitsOption } from '../../src/checks/limits.js';
import { withPlace } from '../../src/errors/placed.js';
import type { ReadOptions } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import type { WorkerPool } from '../../workers/pool.js';
import { finished, type LoadableTensor, placeOfTensor } from '../inputs/content.js';
import { BELOW_ONE } from '../output.js';
import { Catalog, type PlannedPiece, type PlanOptions, planPieces } from '../planning.js';

/** Which part of a model to decode: what all of these allow. */
export interface PieceChoice extends Pick<PlanOptions, 'quality' | 'tensors'>, LimitsOption {
  /** Of each tensor in fragments, the first this many. */
  readonly fragments?: number | undefined;
  /** Only what is in the first this many bytes of its file. */
  readonly bytes?: number | undefined;
}

/** A tensor, and the first of its pieces; none where no numbers of it are chosen. */
export interface ChosenTensor {
  readonly tensor: LoadableTensor;
  readonly pieces: readonly PlannedPiece[];
  /** True cosine similarity with the original. */
  readonly cosine: number;
}

export interface Chosen {
  /** In the order of the model. */
  readonly tensors: readonly ChosenTensor[];
  /** Bytes of their pieces. */
  readonly bytes: number;
  /** Mean cosine of the tensors, by their weights: 1 only where each has 1. */
  readonly quality: number;
}

/** @throws ArgumentError for names that the model does not have */
export function choosePieces(tensors: readonly LoadableTensor[], choice: PieceChoice = {}): Chosen {
  const {
    quality,
    limits,
    fragments = Number.POSITIVE_INFINITY,
    bytes: end = Number.POSITIVE_INFINITY,
  } = choice;
  const catalog = new Catalog(tensors);
  const planned = planPieces(catalog, { quality, limits, tensors: choice.tensors, strategy: 'scan' });
  const kept = new Map<LoadableTensor, PlannedPiece[]>();
  for (const piece of planned) {
    // The header is piece 0 of a tensor in fragments; what is one piece has no fragments.
    if (piece.piece > fragments || piece.offset + piece.length > end) continue;
    const list = kept.get(piece.tensor);
    if (list === undefined) kept.set(piece.tensor, [piece]);
    else list.push(piece);
  }
  const names = new Set(choice.tensors ?? tensors.map(({ name }) => name));
  const chosen = tensors.flatMap((tensor) => (names.has(tensor.name) ? [chosenTensor(tensor, kept)] : []));
  const weight = sum(chosen, ({ tensor }) => tensor.weight);
  const isExact = chosen.every(({ cosine }) => cosine === 1);
  return {
    tensors: chosen,
    bytes: sum(chosen, ({ pieces }) => sum(pieces, ({ length }) => length)),
    quality: isExact
      ? 1
      : Math.min(BELOW_ONE, sum(chosen, ({ tensor, cosine }) => tensor.weight * cosine) / (weight || 1)),
  };
}

function chosenTensor(
  tensor: LoadableTensor,
  kept: ReadonlyMap<LoadableTensor, readonly PlannedPiece[]>,
): ChosenTensor {
  const pieces = kept.get(tensor) ?? [];
  const cosine = pieces.at(-1)?.cosine ?? 0;
  // The whole is decoded and verified, whatever quality the plan states.
  const isWhole = pieces.length === tensor.pieces.length;
  return { tensor, pieces: cosine === 0 && !isWhole ? [] : pieces, cosine };
}

/** Reads the bytes of a piece. */
export type ReadPiece = (piece: PlannedPiece, options: ReadOptions) => Promise<Uint8Array>;

export const readPiece: ReadPiece = async ({ file, offset, length }, options) => {
  const source = await file.acquire();
  try {
    return await source.read(offset, length, options);
  } finally {
    await file.release(source);
  }
};

export interface DecodeChosenOptions extends AbortOptions {
  readonly pool?: WorkerPool | undefined;
  /** For the pieces, and for what is decoded, whose memory is to be given back to it. Default: new memory. */
  readonly memory?: ReusedMemory | undefined;
}

/**
 * The bytes of a tensor's elements, in its own dtype, from its chosen pieces; zeros where there are none.
 * @param budget of all tensors that are decoded together
 * @throws FormatError, ChecksumError, CodecError, LimitError, SourceError; with a pool, WorkerError
 */
export async function decodeChosen(
  chosen: ChosenTensor,
  budget: Budget,
  options: DecodeChosenOptions,
  read = readPiece,
): Promise<Uint8Array> {
  return withPlace(placeOfTensor(chosen.tensor), () => decodePieces(chosen, budget, options, read));
}

async function decodePieces(
  { tensor, pieces }: ChosenTensor,
  budget: Budget,
  { signal, pool, memory }: DecodeChosenOptions,
  read: ReadPiece,
): Promise<Uint8Array> {
  const { name, byteLength } = tensor;
  checkTensorBytes(budget.limits, byteLength, name);
  for (const { length } of pieces) checkTensorBytes(budget.limits, length, name);
  if (pieces.length === 0) {
    budget.spend({ bytes: byteLength, steps: 0 });
    return allocating(() => new Uint8Array(byteLength));
  }
  const room = memory?.take(sum(pieces, ({ length }) => length));
  let end = 0;
  const stored = await Promise.all(
    pieces.map(async (piece) => {
      const start = end;
      end += piece.length;
      const into = room?.subarray(start, end);
      const bytes = await read(piece, { signal, into });
      // Memory of the source is not the caller's to give back.
      if (into !== undefined && bytes !== into) into.set(bytes);
      return into ?? bytes;
    }),
  );
  const out = memory?.take(byteLength);
  const given = (data: ArrayBufferView) => {
    const bytes = viewBytes(data);
    for (const unused of [room, out]) {
      if (unused !== undefined && unused.buffer !== bytes.buffer) memory!.give(unused.buffer);
    }
    return bytes;
  };
  if (pool !== undefined && tensor.decodePieces !== undefined) {
    return given((await tensor.decodePieces(stored, { signal, pool, budget, out })).data);
  }
  const decoder = await tensor.createDecoder(budget, pool, pool === undefined ? memory : undefined);
  try {
    for (const [i, { piece }] of pieces.entries()) await decoder.add(piece, stored[i]!, { signal });
    await decoder.settle?.({ signal });
    const best = await finished(decoder.reconstructingTensor({ signal, out }), { signal });
    return given(best!.data);
  } finally {
    decoder.close?.();
  }
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

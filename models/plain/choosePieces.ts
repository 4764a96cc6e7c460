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

/** Where a piece begins behind another one: shared memory is read several times faster from multiples of it. */
const ALIGNMENT = 8;

/** Bytes that pieces take one after another. */
export function bytesOf(pieces: readonly PlannedPiece[]): number {
  return sum(pieces, ({ length }) => aligned(length));
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/**
 * Reads pieces of a tensor together.
 * @param room as many bytes as `bytesOf` says, where they go one after another. Default: memory of their own
 */
export function readPieces(
  pieces: readonly PlannedPiece[],
  { signal }: AbortOptions,
  read = readPiece,
  room?: Uint8Array,
): Promise<Uint8Array[]> {
  let end = 0;
  return Promise.all(
    pieces.map(async (piece) => {
      const start = end;
      end += aligned(piece.length);
      const into = room?.subarray(start, start + piece.length);
      const bytes = await read(piece, { signal, into });
      if (into !== undefined && bytes !== into) into.set(bytes);
      return into ?? bytes;
    }),
  );
}

export interface DecodeChosenOptions extends AbortOptions {
  readonly pool?: WorkerPool | undefined;
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
  { tensor, pieces }: Pick<ChosenTensor, 'tensor' | 'pieces'>,
  budget: Budget,
  { signal, pool }: DecodeChosenOptions,
  read: ReadPiece,
): Promise<Uint8Array> {
  const { byteLength } = tensor;
  checkSizes({ tensor, pieces }, budget);
  if (pieces.length === 0) {
    budget.spend({ bytes: byteLength, steps: 0 });
    return allocating(() => new Uint8Array(byteLength));
  }
  const stored = await readPieces(pieces, { signal }, read);
  if (pool !== undefined && tensor.openPieces !== undefined) {
    return (await tensor.openPieces(stored, { budget, by: pool, signal })).decode(undefined, { signal });
  }
  return decodeStored({ tensor, pieces }, stored, { budget, pool, signal });
}

/** Decodes a tensor piece by piece. Where its one piece is its elements, they are that array. */
export async function decodeStored(
  { tensor, pieces }: Pick<ChosenTensor, 'tensor' | 'pieces'>,
  stored: readonly Uint8Array[],
  { budget, pool, signal }: DecodeChosenOptions & { readonly budget: Budget },
): Promise<Uint8Array> {
  const decoder = await tensor.createDecoder(budget, pool);
  try {
    for (const [i, { piece }] of pieces.entries()) await decoder.add(piece, stored[i]!, { signal });
    await decoder.settle?.({ signal });
    const best = await finished(decoder.reconstructingTensor({ signal }), { signal });
    return viewBytes(best!.data);
  } finally {
    decoder.close?.();
  }
}

/** @throws LimitError for a tensor, or a piece of one, that is too large */
export function checkSizes(
  { tensor, pieces }: Pick<ChosenTensor, 'tensor' | 'pieces'>,
  { limits }: Budget,
): void {
  const { name, byteLength } = tensor;
  for (const length of [byteLength, ...pieces.map(({ length }) => length)]) {
    checkTensorBytes(limits, length, name);
  }
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

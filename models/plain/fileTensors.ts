import { createLimiter } from '../../sources/limiter.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import {
  allocating,
  Budget,
  checkTensorBytes,
  type LimitsOption,
  limitsOf,
} from '../../src/checks/limits.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { placeOfTensor } from '../inputs/content.js';
import type { PlannedPiece } from '../planning.js';
import type { TensorState } from '../tensorState.js';
import { type Chosen, type ChosenTensor, decodeChosen, type ReadPiece, readPiece } from './choosePieces.js';

/** Most bytes of the model file that a stream fetches together, before it decodes its first tensor. */
const MAX_HELD = 2 ** 26;

/** A tensor, and where it is in the file. */
export interface Part {
  readonly offset: number;
  readonly byteLength: number;
  readonly chosen: ChosenTensor;
}

/** Bytes of a tensor, and where they are in the file. */
export interface PlacedBytes {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What was read last of a tensor, for reads that follow in it. */
interface Memo {
  last?: { readonly part: Part; readonly bytes: Uint8Array } | undefined;
}

interface FileTensorsOptions extends LimitsOption {
  /** Undefined: every tensor as it is loaded. */
  readonly quality: number | undefined;
}

/** The tensors of a file, decoded from the model, or as the model has loaded them. */
export class FileTensors {
  readonly #parts: readonly Part[];
  readonly #states: ReadonlyMap<string, TensorState>;
  readonly #options: FileTensorsOptions;
  /** All chosen pieces, from the first to the last byte of the one file that they are in. */
  readonly #span: { readonly start: number; readonly end: number } | undefined;
  /** Of the chosen pieces. */
  readonly #bytes: number;
  /** Tensors are decoded one after another, so that only one is in memory. */
  readonly #mutex = createLimiter(1);
  /** Of a quality that does not change. */
  readonly #memo: Memo = {};

  constructor(
    parts: readonly Part[],
    chosen: Chosen,
    states: ReadonlyMap<string, TensorState>,
    options: FileTensorsOptions,
  ) {
    this.#parts = parts;
    this.#states = states;
    this.#options = options;
    this.#span = spanOf(parts.flatMap((part) => part.chosen.pieces));
    this.#bytes = chosen.bytes;
  }

  /** Those with bytes in this range of the file. */
  within(start: number, end: number): readonly Part[] {
    return this.#parts.filter(({ offset, byteLength }) => offset < end && offset + byteLength > start);
  }

  /** Reads tensors for a range of the file: the bytes within it of those that are stored as they are, others as a whole. */
  reader(start: number, end: number): (part: Part, options: AbortOptions) => Promise<PlacedBytes> {
    const budget = new Budget(limitsOf(this.#options), this.#bytes);
    const read = this.#pieceReader(start, end);
    const memo = this.#options.quality === undefined ? {} : this.#memo;
    const cutMemo: Memo = {};
    return async (part, { signal }) => {
      const cut = cutTo(part, start, end);
      if (cut === undefined) {
        const bytes = await this.#remembered(memo, part, signal, async () => {
          const loaded = await this.#loaded(part, signal);
          return loaded ?? decodeChosen(part.chosen, budget, { signal }, read);
        });
        return { offset: part.offset, bytes };
      }
      const { offset, length } = cut;
      const bytes = await this.#remembered(cutMemo, part, signal, async () => {
        const loaded = await this.#loaded(part, signal);
        if (loaded !== undefined) return loaded.subarray(offset - part.offset, offset - part.offset + length);
        checkTensorBytes(budget.limits, length, placeOfTensor(part.chosen.tensor));
        return read(cut.piece, { signal });
      });
      return { offset, bytes };
    };
  }

  async #remembered(
    memo: Memo,
    part: Part,
    signal: AbortSignal | undefined,
    decode: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    if (memo.last?.part === part) return memo.last.bytes;
    const leave = await this.#mutex.acquire(signal);
    try {
      if (memo.last?.part === part) return memo.last.bytes;
      // Before the next one takes memory.
      memo.last = undefined;
      const bytes = await decode();
      memo.last = { part, bytes };
      return bytes;
    } finally {
      leave();
    }
  }

  /** The bytes of a tensor that the model has; with 'loaded', zeros where it has none. */
  async #loaded(
    { chosen, byteLength }: Part,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const { tensor, cosine } = chosen;
    const { quality } = this.#options;
    const state = this.#states.get(tensor.name);
    // What is around tensors is not loaded.
    if (state === undefined) return undefined;
    // Below 1, what is loaded may be better than the rest of the file, and change between two reads of it.
    if (quality !== undefined && !(state.complete && cosine === 1)) return undefined;
    const loaded = await state.read({ as: 'source', signal });
    if (loaded !== undefined) return viewBytes(loaded.data);
    return quality === undefined ? allocating(() => new Uint8Array(byteLength)) : undefined;
  }

  /**
   * Reads pieces for a range of the file. If it takes at least half of all chosen bytes, they are fetched together, as far
   * as {@link MAX_HELD}: the fragments of a tensor are far from each other, and all first fragments close.
   */
  #pieceReader(start: number, end: number): ReadPiece {
    if (this.#span === undefined) return readPiece;
    const { start: from, end: to } = this.#span;
    const heldEnd = Math.min(to, from + MAX_HELD);
    const needed = this.within(start, end)
      .flatMap((part) => cutTo(part, start, end)?.piece ?? part.chosen.pieces)
      .reduce((sum, { length }) => sum + length, 0);
    if (2 * needed < heldEnd - from) return readPiece;
    let held: Promise<Uint8Array> | undefined;
    return async (piece, options) => {
      const { offset, length } = piece;
      if (offset + length > heldEnd) return readPiece(piece, options);
      held ??= readPiece({ ...piece, offset: from, length: heldEnd - from }, options);
      return (await held).subarray(offset - from, offset - from + length);
    };
  }
}

/** Undefined for pieces of several files, and where there are none. */
function spanOf(
  pieces: readonly PlannedPiece[],
): { readonly start: number; readonly end: number } | undefined {
  const [first] = pieces;
  if (first === undefined || pieces.some(({ file }) => file !== first.file)) return undefined;
  return {
    start: pieces.reduce((least, { offset }) => Math.min(least, offset), Number.POSITIVE_INFINITY),
    end: pieces.reduce((most, { offset, length }) => Math.max(most, offset + length), 0),
  };
}

interface Cut {
  /** In the file. */
  readonly offset: number;
  readonly length: number;
  /** Its bytes where they are stored. */
  readonly piece: PlannedPiece;
}

/** The bytes of a tensor within a range of the file, if they can be read without the others. */
function cutTo({ offset, byteLength, chosen }: Part, start: number, end: number): Cut | undefined {
  const from = Math.max(start, offset);
  const length = Math.min(end, offset + byteLength) - from;
  const [piece] = chosen.pieces;
  if (!chosen.tensor.isStored || piece === undefined || length === byteLength) return undefined;
  return { offset: from, length, piece: { ...piece, offset: piece.offset + from - offset, length } };
}

import { untilAborted } from '../platform/abort.js';
import { createLimiter } from '../sources/limiter.js';
import { after, isPromise, type Soon } from '../src/async/after.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { Budget } from '../src/checks/limits.js';
import { inPlace, withPlace } from '../src/errors/placed.js';
import type { WorkerPool } from '../workers/pool.js';
import { DecodedTensor } from './decodedTensor.js';
import { HeldMemory } from './heldMemory.js';
import { countWithoutGap, mayHold } from './heldPieces.js';
import { type HeldPiece, type LoadableTensor, type PieceOptions, placeOfTensor } from './inputs/content.js';
import { BELOW_ONE, type LoadedTensor, type OutputOptions, type OutputType } from './output.js';
import { completeOutput, readOutput } from './readOutput.js';

interface DecodeOptions extends PieceOptions {
  readonly budget: Budget;
  readonly pool: WorkerPool | undefined;
}

/** The loaded part of one tensor. It outlives loads, so no piece is fetched twice. */
export class TensorState {
  readonly tensor: LoadableTensor;
  /** How many pieces have been decoded, from the first on. */
  #taken = 0;
  /** Pieces that are held, or arrived before their predecessors, by parallel requests. */
  readonly #waiting = new Map<number, HeldPiece>();
  /** How those that are held are decoded. */
  #held: DecodeOptions | undefined;
  /** Resolves when all pieces so far have been decoded, and all that was asked for has been read; undefined where that is so. */
  #last: Promise<void> | undefined;
  readonly #decoded: DecodedTensor;
  readonly #mayHold: boolean;
  readonly #memory = new HeldMemory();

  /** Told when a reader has found that a piece is damaged, which a load had brought. */
  readonly #onRefused: ((error: unknown) => void) | undefined;

  /** @param completing has one place, which a large tensor of the model holds while it is completed */
  constructor(tensor: LoadableTensor, completing = createLimiter(1), onRefused?: (error: unknown) => void) {
    this.tensor = tensor;
    this.#decoded = new DecodedTensor(tensor, completing);
    this.#mayHold = mayHold(tensor);
    this.#onRefused = onRefused;
  }

  get cosine(): number {
    return this.#decoded.cosine;
  }

  get complete(): boolean {
    return this.#decoded.whole !== undefined;
  }

  /** Whether this piece need not be fetched. */
  has(piece: number): boolean {
    return this.complete || piece < this.#taken || this.#waiting.has(piece);
  }

  /** Decodes a piece, or holds it; one that arrives too early waits for its predecessors. */
  add(piece: number, bytes: Uint8Array, options: DecodeOptions): Soon<void> {
    const waiting = { bytes, isOwn: options.isOwn };
    if (this.#holds(piece)) {
      this.#waiting.set(piece, waiting);
      this.#held = options;
      // As the header of the file says, which has been verified.
      const last = this.tensor.pieces[countWithoutGap(this.#waiting) - 1];
      this.#decoded.cosine = Math.min(BELOW_ONE, last?.cosine ?? 0);
      return;
    }
    return this.#inOrder(() => {
      // It may be by a last piece that an abort has left as not taken.
      if (this.complete) return;
      this.#waiting.set(piece, waiting);
      return this.#takeAll(options);
    });
  }

  /** Whether this piece of a small tensor waits: others are missing, and none has been decoded. */
  #holds(piece: number): boolean {
    if (this.#taken > 0 || this.#last !== undefined || this.complete || !this.#mayHold) return false;
    return this.#waiting.size + (this.#waiting.has(piece) ? 0 : 1) < this.tensor.pieces.length;
  }

  /** Decodes what is held: that comes before all that is read. */
  takeHeld({ signal }: AbortOptions): Soon<void> {
    if (this.#held !== undefined) return this.#inOrder(() => this.#takeHeld(signal));
  }

  #takeHeld(signal: AbortSignal | undefined): Soon<void> {
    const held = this.#held;
    if (held !== undefined) return this.#takeAll({ ...held, signal });
  }

  /** Pieces are decoded in their order, and what is read has the quality of all before it. */
  #inOrder<T>(work: () => Soon<T>): Soon<T> {
    const place = placeOfTensor(this.tensor);
    if (this.#last !== undefined) return this.#follow(this.#last.then(() => withPlace(place, work)));
    try {
      const done = work();
      return isPromise(done) ? this.#follow(withPlace(place, () => done)) : done;
    } catch (error) {
      throw inPlace(error, place);
    }
  }

  #follow<T>(done: Promise<T>): Promise<T> {
    const settle = () => {
      if (this.#last === last) this.#last = undefined;
    };
    // Not the promise itself, which would keep what was read.
    const last = done.then(settle, settle);
    this.#last = last;
    return done;
  }

  /** A reader gets what is before a piece that is refused. Its signal ends no decoding: pieces would be lost to the load. */
  async #takeHeldToRead(): Promise<void> {
    try {
      await this.#takeHeld(undefined);
    } catch (error) {
      this.#onRefused?.(inPlace(error, placeOfTensor(this.tensor)));
    }
  }

  #takeAll(options: DecodeOptions): Soon<void> {
    const isHeld = this.#held !== undefined && this.#waiting.has(0) && this.#waiting.has(1);
    return isHeld ? this.#takeTogether(options) : this.#takeEach(options);
  }

  async #takeTogether(options: DecodeOptions): Promise<void> {
    const { budget, pool, signal } = options;
    const decoder = await this.tensor.createDecoder(budget, pool);
    const pieces: HeldPiece[] = [];
    for (let piece = this.#waiting.get(0); piece; piece = this.#waiting.get(pieces.length))
      pieces.push(piece);
    let taken = decoder.addTogether === undefined ? 0 : pieces.length;
    try {
      await decoder.addTogether?.(pieces, { signal });
    } catch {
      signal?.throwIfAborted();
      // One by one, they are taken up to the one that is damaged.
      taken = 0;
    }
    this.#held = undefined;
    this.#decoded.cosine = 0;
    for (; this.#taken < taken; this.#taken++) this.#waiting.delete(this.#taken);
    if (taken > 0) {
      await this.#decoded.begin(decoder, signal);
    }
    return this.#takeEach(options);
  }

  #takeEach(options: DecodeOptions): Soon<void> {
    // A loop, because thousands may have waited for one.
    for (;;) {
      const next = this.#waiting.get(this.#taken);
      if (next === undefined) return;
      this.#waiting.delete(this.#taken);
      const done = this.#take(this.#taken, next.bytes, { ...options, isOwn: next.isOwn });
      if (isPromise(done)) {
        return done.then(() => {
          this.#taken += 1;
          return this.#takeEach(options);
        });
      }
      this.#taken += 1;
    }
  }

  #take(piece: number, bytes: Uint8Array, options: DecodeOptions): Soon<void> {
    const decoder = this.#decoded.decoder;
    if (decoder === undefined) return this.#takeFirst(piece, bytes, options);
    const { isOwn, signal } = options;
    return after(decoder.add(piece, bytes, { isOwn, signal }), () => this.#decoded.update(signal));
  }

  async #takeFirst(
    piece: number,
    bytes: Uint8Array,
    { pool, budget, isOwn, signal }: DecodeOptions,
  ): Promise<void> {
    const decoder = await this.tensor.createDecoder(budget, pool);
    await decoder.add(piece, bytes, { isOwn, signal });
    // Not before: a first piece that is refused may come again, with other limits.
    await this.#decoded.begin(decoder, signal);
  }

  /**
   * Waits for the pieces under way, and decodes all that were added.
   * @returns false where it waits for pieces of other tensors
   */
  async settle(options: AbortOptions): Promise<boolean> {
    return this.#inOrder(async () => {
      await this.#takeHeld(options.signal);
      const settled = await this.#decoded.decoder?.settle?.(options);
      await this.#decoded.update(options.signal);
      return settled !== false;
    });
  }

  /**
   * Begins anew where what was decoded is lost with a worker, or did not reach it.
   * @returns how many pieces are lost; undefined where it is not
   */
  forgetLost(): number | undefined {
    if (this.#decoded.decoder?.isLost !== true) return undefined;
    const lost = this.#taken;
    this.#decoded.release();
    this.#taken = 0;
    this.#decoded.cosine = 0;
    return lost;
  }

  /** Gives back what is held for pieces that are to come; what is complete stays, and what is being read comes. */
  close(): void {
    void this.#inOrder(() => {
      this.#held = undefined;
      this.#waiting.clear();
      this.#decoded.release();
    });
  }

  /** The tensor at its current quality; undefined before its first numbers. */
  read<A extends OutputType = 'F32'>(
    options: OutputOptions<A> & AbortOptions,
  ): Promise<LoadedTensor<A> | undefined> {
    const { signal } = options;
    const read = Promise.resolve(this.#inOrder(() => this.#read(options)));
    return signal === undefined ? read : untilAborted(read, signal);
  }

  /** The same where that takes no work: it is complete, and has the elements that are asked for. */
  readComplete<A extends OutputType>(options: OutputOptions<A>): LoadedTensor<A> | undefined {
    return completeOutput(this.#decoded, options);
  }

  async #read<A extends OutputType = 'F32'>(
    options: OutputOptions<A> & AbortOptions,
  ): Promise<LoadedTensor<A> | undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#held !== undefined) await this.#takeHeldToRead();
    const { whole, decoder, cosine } = this.#decoded;
    if (whole === undefined && (decoder === undefined || cosine === 0)) return undefined;
    return readOutput(this.#decoded, this.#memory, options);
  }
}

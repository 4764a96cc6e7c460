import { untilAborted } from '../platform/abort.js';
import { createLimiter, type Limiter } from '../sources/limiter.js';
import { after, isPromise, type Soon } from '../src/async/after.js';
import { inTurns } from '../src/async/steps.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { Budget } from '../src/checks/limits.js';
import { inPlace, withPlace } from '../src/errors/placed.js';
import { type CommonFloat, commonNumbers, isCommonFloat } from '../src/tensor/commonFloats.js';
import type { DType } from '../src/tensor/dtype.js';
import { asFloat16, type Tensor, type TensorData, viewBytes } from '../src/tensor/tensor.js';
import type { WorkerPool } from '../workers/pool.js';
import { HeldMemory } from './heldMemory.js';
import { mayHold, withoutGap } from './heldPieces.js';
import {
  finished,
  type HeldPiece,
  type LoadableTensor,
  type PieceDecoder,
  type PieceOptions,
  placeOfTensor,
} from './inputs/content.js';
import {
  BELOW_ONE,
  checkMemory,
  converted,
  copied,
  type LoadedTensor,
  type OutputArrays,
  type OutputOptions,
  type OutputType,
  outputBytes,
  outputDtype,
  transposed,
} from './output.js';

/** Tensors of this many bytes are completed one after another: until one is, it has its fragments and its elements in memory. */
const LARGE_BYTES = 2 ** 25;

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
  #decoder: PieceDecoder | undefined;
  /** The whole tensor once it is complete; the decoder is released then. */
  #complete: Tensor | undefined;
  #cosine = 0;
  readonly #memory = new HeldMemory();

  /** Has one place, which a large tensor of the model holds while it is completed. */
  readonly #completing: Limiter;

  constructor(tensor: LoadableTensor, completing = createLimiter(1)) {
    this.tensor = tensor;
    this.#completing = completing;
  }

  get cosine(): number {
    return this.#cosine;
  }

  get complete(): boolean {
    return this.#complete !== undefined;
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
      const last = this.tensor.pieces[withoutGap(this.#waiting).length - 1];
      this.#cosine = Math.min(BELOW_ONE, last?.cosine ?? 0);
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
    if (this.#taken > 0 || this.#last !== undefined || this.complete || !mayHold(this.tensor)) return false;
    return this.#waiting.size + (this.#waiting.has(piece) ? 0 : 1) < this.tensor.pieces.length;
  }

  /** Decodes what is held: that comes before all that is read. */
  takeHeld({ signal }: AbortOptions): Soon<void> {
    return this.#held === undefined ? undefined : this.#inOrder(() => this.#takeHeld(signal));
  }

  #takeHeld(signal: AbortSignal | undefined): Soon<void> {
    const held = this.#held;
    return held === undefined ? undefined : this.#takeAll({ ...held, signal });
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

  #takeAll(options: DecodeOptions): Soon<void> {
    const isHeld = this.#held !== undefined && this.#waiting.has(0) && this.#waiting.has(1);
    return isHeld ? this.#takeTogether(options) : this.#takeEach(options);
  }

  async #takeTogether(options: DecodeOptions): Promise<void> {
    const { budget, pool, signal } = options;
    const decoder = await this.tensor.createDecoder(budget, pool);
    const pieces = withoutGap(this.#waiting);
    let taken = decoder.addTogether === undefined ? 0 : pieces.length;
    try {
      await decoder.addTogether?.(pieces, { signal });
    } catch {
      signal?.throwIfAborted();
      // One by one, they are taken up to the one that is damaged.
      taken = 0;
    }
    this.#held = undefined;
    this.#cosine = 0;
    for (; this.#taken < taken; this.#taken++) this.#waiting.delete(this.#taken);
    if (taken > 0) {
      this.#decoder = decoder;
      await this.#update(signal);
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
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#takeFirst(piece, bytes, options);
    const { isOwn, signal } = options;
    return after(decoder.add(piece, bytes, { isOwn, signal }), () => this.#update(signal));
  }

  async #takeFirst(
    piece: number,
    bytes: Uint8Array,
    { pool, budget, isOwn, signal }: DecodeOptions,
  ): Promise<void> {
    const decoder = await this.tensor.createDecoder(budget, pool);
    await decoder.add(piece, bytes, { isOwn, signal });
    // Not before: a first piece that is refused may come again, with other limits.
    this.#decoder = decoder;
    await this.#update(signal);
  }

  /**
   * Waits for the pieces under way, and decodes all that were added.
   * @returns false where it waits for pieces of other tensors
   */
  async settle(options: AbortOptions): Promise<boolean> {
    return this.#inOrder(async () => {
      await this.#takeHeld(options.signal);
      const settled = await this.#decoder?.settle?.(options);
      await this.#update(options.signal);
      return settled !== false;
    });
  }

  #update(signal: AbortSignal | undefined): Soon<void> {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    if (!decoder.complete) {
      this.#cosine = Math.min(BELOW_ONE, decoder.cosine);
      return;
    }
    const isLarge = this.tensor.byteLength >= LARGE_BYTES;
    return isLarge ? this.#completeInTurn(decoder, signal) : this.#finish(decoder, signal);
  }

  async #completeInTurn(decoder: PieceDecoder, signal: AbortSignal | undefined): Promise<void> {
    const leave = await this.#completing.acquire(signal);
    try {
      await this.#finish(decoder, signal);
    } finally {
      leave();
    }
  }

  #finish(decoder: PieceDecoder, signal: AbortSignal | undefined): Soon<void> {
    const whole = finished(decoder.reconstructingTensor({ signal, isLast: true }), { signal });
    return after(whole, (tensor) => {
      this.#complete = tensor;
      this.#release();
      this.#cosine = this.complete ? decoder.cosine : Math.min(BELOW_ONE, decoder.cosine);
    });
  }

  #release(): void {
    this.#decoder?.close?.();
    this.#decoder = undefined;
  }

  /**
   * Begins anew where what was decoded is lost with a worker, or did not reach it.
   * @returns how many pieces are lost; undefined where it is not
   */
  forgetLost(): number | undefined {
    if (this.#decoder?.isLost !== true) return undefined;
    const lost = this.#taken;
    this.#release();
    this.#taken = 0;
    this.#cosine = 0;
    return lost;
  }

  /** Gives back what is held for pieces that are to come; what is complete stays, and what is being read comes. */
  close(): void {
    void this.#inOrder(() => {
      this.#held = undefined;
      this.#waiting.clear();
      this.#release();
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
  readComplete<A extends OutputType>({ as, out, layout }: OutputOptions<A>): LoadedTensor<A> | undefined {
    const whole = this.#complete;
    const isAsAsked = whole?.dtype === outputDtype(this.tensor, as ?? 'F32');
    if (!isAsAsked || out !== undefined || layout === 'transposed') return undefined;
    const { dtype, shape, data } = whole;
    const half = as === 'F16' && dtype === 'F16';
    const typed = (half ? asFloat16(data as Uint16Array) : data) as OutputArrays[A];
    return { name: this.tensor.name, dtype, shape, data: typed, cosine: this.#cosine, complete: true };
  }

  async #read<A extends OutputType = 'F32'>(
    options: OutputOptions<A> & AbortOptions,
  ): Promise<LoadedTensor<A> | undefined> {
    const { as = 'F32', out: memoryFor, layout, signal } = options;
    signal?.throwIfAborted();
    await this.#takeHeld(signal);
    if (this.#complete === undefined && (this.#decoder === undefined || this.#cosine === 0)) return undefined;
    const { name } = this.tensor;
    const dtype = outputDtype(this.tensor, as);
    const [rows = 0, columns = 0] = this.tensor.shape;
    const turned = layout === 'transposed' && this.tensor.shape.length === 2 && !/^F(4|6_)/.test(dtype);
    const shape = turned ? [columns, rows] : this.tensor.shape;
    const out = memoryFor?.({ name, dtype, shape });
    if (out !== undefined) checkMemory(out, name, outputBytes(this.tensor, dtype));
    let data = await this.#elements(dtype as DType, turned ? undefined : out, signal);
    // The worker may have had more than it had said, before an abort.
    const { cosine, complete } = this;
    if (turned) data = await inTurns(transposed(data, rows, columns), signal);
    if (out !== undefined && out !== data) {
      await inTurns(copied(viewBytes(data), viewBytes(out as ArrayBufferView)), signal);
    }
    const half = as === 'F16' && dtype === 'F16';
    const typed = (out ?? (half ? asFloat16(data as Uint16Array) : data)) as OutputArrays[A];
    if (out === undefined) return { name, dtype, shape, data: typed, cosine, complete };
    const held = this.#memory.hold(out as ArrayBufferView, { cosine, complete });
    return {
      ...{ name, dtype, shape, data: typed },
      // Better numbers overwrite those of every tensor that was given out in this memory.
      get cosine() {
        return held.cosine;
      },
      get complete() {
        return held.complete;
      },
    };
  }

  /** @param out may be filled, and is then what is returned */
  async #elements(dtype: DType, out: unknown, signal: AbortSignal | undefined): Promise<TensorData> {
    const tensor = this.#complete ?? (await this.#best(dtype, out, signal));
    if (tensor.dtype === dtype) return tensor.data;
    const toNumbers = isCommonFloat(tensor.dtype)
      ? commonNumbers
      : (await import('./otherNumbersOnDemand.js')).otherNumbers;
    return inTurns(converted(tensor, dtype as CommonFloat, toNumbers), signal);
  }

  /** Of what has come so far, and how good that is. */
  async #best(dtype: DType, out: unknown, signal: AbortSignal | undefined): Promise<Tensor> {
    const decoder = this.#decoder!;
    const best = await this.#reconstruct(decoder, dtype, out, signal);
    this.#cosine = Math.min(BELOW_ONE, decoder.cosine);
    return best;
  }

  async #reconstruct(
    decoder: PieceDecoder,
    dtype: DType,
    out: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    if (dtype === 'F32' && decoder.reconstructing !== undefined) {
      const target = out instanceof Float32Array ? out : undefined;
      const numbers = await finished(decoder.reconstructing(target, { signal }), { signal });
      if (numbers !== undefined) return { dtype, shape: this.tensor.shape, data: numbers };
    }
    return (await finished(decoder.reconstructingTensor({ signal }), { signal }))!;
  }
}

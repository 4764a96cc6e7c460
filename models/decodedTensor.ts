import type { Limiter } from '../sources/limiter.js';
import { after, type Soon } from '../src/async/after.js';
import { inTurns } from '../src/async/steps.js';
import { type CommonFloat, commonNumbers, isCommonFloat } from '../src/tensor/commonFloats.js';
import type { DType } from '../src/tensor/dtype.js';
import type { Tensor, TensorData } from '../src/tensor/tensor.js';
import { finished, type LoadableTensor, type PieceDecoder } from './inputs/content.js';
import { BELOW_ONE, converted } from './output.js';

/** Tensors of this many bytes are completed one after another: until one is, it has its fragments and its elements in memory. */
const LARGE_BYTES = 2 ** 25;

/** What has been decoded of a tensor: its decoder, and in its place all of it, once it is complete. */
export class DecodedTensor {
  readonly tensor: LoadableTensor;
  /** Of what can be read: below 1 until it is complete. */
  cosine = 0;
  #decoder: PieceDecoder | undefined;
  #whole: Tensor | undefined;
  readonly #completing: Limiter;

  /** @param completing has one place, which a large tensor of the model holds while it is completed */
  constructor(tensor: LoadableTensor, completing: Limiter) {
    this.tensor = tensor;
    this.#completing = completing;
  }

  get decoder(): PieceDecoder | undefined {
    return this.#decoder;
  }

  /** The whole tensor; the decoder has been released. */
  get whole(): Tensor | undefined {
    return this.#whole;
  }

  /** @param decoder has taken the first piece */
  begin(decoder: PieceDecoder, signal: AbortSignal | undefined): Soon<void> {
    this.#decoder = decoder;
    return this.update(signal);
  }

  /** Looks how far the decoder is. */
  update(signal: AbortSignal | undefined): Soon<void> {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    if (!decoder.complete) {
      this.cosine = Math.min(BELOW_ONE, decoder.cosine);
      return;
    }
    const isLarge = this.tensor.byteLength >= LARGE_BYTES;
    return isLarge ? this.#completeInTurn(decoder, signal) : this.#complete(decoder, signal);
  }

  async #completeInTurn(decoder: PieceDecoder, signal: AbortSignal | undefined): Promise<void> {
    const leave = await this.#completing.acquire(signal);
    try {
      await this.#complete(decoder, signal);
    } finally {
      leave();
    }
  }

  #complete(decoder: PieceDecoder, signal: AbortSignal | undefined): Soon<void> {
    const whole = finished(decoder.reconstructingTensor({ signal, isLast: true }), { signal });
    return after(whole, (tensor) => {
      this.#whole = tensor;
      this.release();
      this.cosine = tensor === undefined ? Math.min(BELOW_ONE, decoder.cosine) : decoder.cosine;
    });
  }

  /** Gives back what the decoder holds. */
  release(): void {
    this.#decoder?.close?.();
    this.#decoder = undefined;
  }

  /**
   * The elements as they are now; there are some.
   * @param out may be filled, and is then what is returned
   */
  async elements(dtype: DType, out: unknown, signal: AbortSignal | undefined): Promise<TensorData> {
    const tensor = this.#whole ?? (await this.#best(dtype, out, signal));
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
    this.cosine = Math.min(BELOW_ONE, decoder.cosine);
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

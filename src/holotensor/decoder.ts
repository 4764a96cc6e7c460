import { finish, oneStep, type Steps } from '../async/steps.js';
import type { ReusedMemory } from '../bytes/reusedMemory.js';
import { uncleared } from '../bytes/room.js';
import {
  allocationFailure,
  Budget,
  checkTensorBytes,
  type LimitsOption,
  limitsOf,
} from '../checks/limits.js';
import { check, checkOptions, listOf, object, wholeNumber } from '../checks/options.js';
import { loadedDecoding } from '../encodings/decodings.js';
import { ENCODING_NAME, type FragmentDecoder, matrixShape, RANGE_STEPS } from '../encodings/encoding.js';
import { isDtypeLoaded, numbersToElements } from '../encodings/otherDtypes.js';
import { FormatError, UnsupportedError } from '../errors.js';
import { byteLengthOf, type DType, elementCount } from '../tensor/dtype.js';
import {
  assertWithin,
  checkOutput,
  type Tensor,
  typedArray,
  viewBytes,
  viewElements,
} from '../tensor/tensor.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_HEADER_SIZE } from './constants.js';
import {
  type AllDecodeOptions,
  HOLO_DECODER_RULES,
  type HoloTensorDecoderOptions,
  type RangeOption,
} from './decodeOptions.js';
import type { HoloFragment, ReceivedFragment } from './fragment.js';
import { fragmentCount, type HoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';
import { ReceivedFragments } from './receivedFragments.js';

/**
 * Collects the fragments of one tensor, in any order, and reconstructs the best tensor from them. It is synchronous:
 * the decoder of the header's encoding must have been loaded before, by {@link loadDecodings}, or by a stream or a reader of
 * such a tensor: for integers and floats of eight bits, it loads more.
 *
 * @example
 * await loadDecodings(['spectral']);
 * const { header, fragments } = new HoloTensorEncoder('spectral').encode(new Float32Array(64).fill(1), [8, 8]);
 * const decoder = new HoloTensorDecoder(header);
 * decoder.addFragment(fragments[3]!);
 * decoder.addFragment(fragments[0]!);
 * console.log(decoder.quality.cosine, decoder.reconstruct());
 */
export class HoloTensorDecoder {
  readonly header: HoloTensorHeader;
  /** Fragments that make the tensor complete. */
  readonly total: number;
  /** Elements of the tensor, or of the range. */
  readonly elements: number;
  readonly #decoder: FragmentDecoder;
  readonly #budget: Budget;
  /** Others' bytes pay, too. */
  readonly #isShared: boolean;
  readonly #received: ReceivedFragments;

  /**
   * @param budget of several tensors, whose bytes pay for each other
   * @param memory that {@link free} gives back
   * @throws LimitError for a tensor that is too large, as numbers of four bytes; UnsupportedError when the decoder of its
   *   encoding has not been loaded
   */
  constructor(
    header: HoloTensorHeader,
    options: HoloTensorDecoderOptions & RangeOption = {},
    budget?: Budget,
    memory?: ReusedMemory,
  ) {
    const { kernels, range } = checkOptions<AllDecodeOptions & LimitsOption & RangeOption>(
      options,
      HOLO_DECODER_RULES,
    );
    check('header', header, object);
    check('encoding', header.encoding, ENCODING_NAME);
    this.header = header;
    this.total = fragmentCount(header);
    this.#budget = budget ?? new Budget(limitsOf(options));
    this.#isShared = budget !== undefined;
    this.#budget.received += HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * this.total;
    const elements = elementCount(header.shape);
    this.elements = elements;
    if (range !== undefined) {
      const { start, end } = range;
      assertWithin('elements', start, end, elements, { step: RANGE_STEPS[header.encoding] ?? elements });
      this.elements = end - start;
    }
    checkTensorBytes(this.#budget.limits, this.elements * Float32Array.BYTES_PER_ELEMENT);
    const decoding = loadedDecoding(header.encoding);
    if (decoding === undefined || !isDtypeLoaded(header.dtype)) {
      throw new UnsupportedError(
        `Cannot decode a tensor yet: call await loadDecodings(['${header.encoding}']) first`,
      );
    }
    const { dtype, seed, norm } = header;
    const request = {
      ...matrixShape(header.shape),
      dtype,
      fragments: this.total,
      seed,
      norm,
      range,
      kernels: kernels ?? decoding.kernels,
      stateMemory: memory,
    };
    this.#decoder = decoding.createDecoder(request, options);
    this.#received = new ReceivedFragments(this.#decoder, this.#budget, this.elements);
  }

  /**
   * A fragment that takes more than the bytes received so far pay for waits until others have come: a first fragment can
   * be tiny.
   * @returns false when this fragment had been added before: it counts once
   * @throws ArgumentError when this tensor has no fragment of this number; FormatError when the payload is malformed
   *   or belongs to another tensor, UnsupportedError when it has another version (the decoder stays as it was). It may be
   *   that of a fragment that has waited.
   */
  addFragment(fragment: HoloFragment & Partial<ReceivedFragment>): boolean {
    return finish(this.adding(fragment));
  }

  /** The same in steps of some milliseconds. One that is left goes on when the fragment is added again. */
  *adding(fragment: HoloFragment & Partial<ReceivedFragment>): Steps<boolean> {
    checkFragment(fragment, 0, this.total - 1);
    return yield* this.#received.adding(fragment.index, fragment.data, storedBytes(fragment));
  }

  /**
   * Fragments 0, 1, … at once, before any other: of small tensors, that takes less time than one by one.
   * @internal For loads, which hold what comes of small tensors.
   * @param fragments verified
   * @throws ArgumentError unless these are the first fragments, in their order; FormatError; LimitError when it takes more than
   *   the bytes received so far pay for. The decoder is then of no use.
   */
  *addingTogether(fragments: readonly (HoloFragment & Partial<ReceivedFragment>)[]): Steps<void> {
    check('fragments', fragments, listOf(object));
    for (let i = 0; i < fragments.length; i++) checkFragment(fragments[i]!, i, i);
    if (this.#decoder.together === undefined) {
      for (const fragment of fragments) yield* this.adding(fragment);
      return;
    }
    const payloads: Uint8Array[] = [];
    let bytes = 0;
    for (const fragment of fragments) {
      payloads.push(fragment.data);
      bytes += storedBytes(fragment);
    }
    yield* this.#received.addingTogether(payloads, bytes);
  }

  /**
   * To be called when no more fragments will come: adds what waits if it is paid for by now.
   * @throws LimitError if it is not, or if a reconstruction is not
   */
  settling(): Steps<void> {
    return this.#received.settling();
  }

  /** Different fragments that have been added, without those that wait to be paid for. */
  get fragments(): number {
    return this.#received.added;
  }

  /** Whether there is anything to reconstruct, and that is paid for. */
  get usable(): boolean {
    return this.fragments > 0 && this.#budget.pays(this.#decoder.costOfReconstructing());
  }

  /** Whether fragments wait to be paid for. */
  get waits(): boolean {
    return this.#received.waits;
  }

  /** True when nothing is missing. */
  get complete(): boolean {
    return this.fragments === this.total;
  }

  get quality(): ReconstructionQuality {
    const { fraction, cosine, relativeError } = this.#decoder.quality;
    const usable = this.#decoder.usableFragments ?? this.fragments;
    const predicted = this.header.qualityCurve.predict(usable, this.total);
    return { fraction, predicted, cosine, relativeError };
  }

  /**
   * The best tensor from the fragments so far, as numbers, row-major.
   * @param out where to write, with the length of the tensor; default: a new array
   * @throws LimitError when it takes more than the bytes received so far pay for, and when all fragments have come, or
   *   none has been added, because that takes more
   */
  reconstruct(out?: Float32Array): Float32Array {
    return finish(this.reconstructing(out));
  }

  /** The same in steps of some milliseconds. */
  *reconstructing(out?: Float32Array): Steps<Float32Array> {
    if (out !== undefined) checkOutput(out, this.elements);
    yield* this.#settlingAll();
    this.#budget.check(this.#decoder.costOfReconstructing());
    try {
      const values = out ?? new Float32Array(this.elements);
      const whole = () => this.#decoder.reconstruct(values);
      yield* this.#decoder.reconstructing?.(values) ?? oneStep(whole);
      return values;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * The same in the dtype of the header: bit for bit where the encoding is lossless and complete, else rounded.
   * @param out where to write the bytes of the elements; default: a new array
   * @throws LimitError as {@link reconstruct}
   */
  reconstructTensor(out?: Uint8Array): Tensor<DType> {
    return finish(this.reconstructingTensor(out));
  }

  /**
   * The same in steps of some milliseconds.
   * @param isLast frees memory on the way: another reconstruction takes longer
   */
  *reconstructingTensor(out?: Uint8Array, isLast = false): Steps<Tensor<DType>> {
    const { dtype, shape } = this.header;
    const byteLength = byteLengthOf(dtype, this.elements);
    if (out !== undefined) checkOutput(out, byteLength, 'Uint8Array');
    yield* this.#settlingAll();
    if (this.#decoder.reconstructingElements === undefined) {
      const data = numbersToElements(dtype, yield* this.reconstructing());
      out?.set(viewBytes(data));
      return { dtype, shape, data: out === undefined ? data : viewElements(dtype, out) };
    }
    this.#budget.check(this.#decoder.costOfReconstructing());
    try {
      const bytes = out ?? uncleared(byteLength);
      yield* this.#decoder.reconstructingElements(bytes, isLast);
      return { dtype, shape, data: viewElements(dtype, bytes) };
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Frees what is large of what it has made; it is not used any more.
   * @internal For loads: the engine frees it when more garbage is made, in workers without work never.
   */
  free(): void {
    this.#decoder.free?.();
  }

  /** Why a reconstruction has failed. A fragment that it names has been dropped. */
  #failure(error: unknown): unknown {
    if (error instanceof FormatError && error.fragmentIndex !== undefined) this.#received.lose();
    return allocationFailure(error);
  }

  /** A tensor that lacks what nothing more can pay for is not given out. */
  *#settlingAll(): Steps<void> {
    const isLast = this.fragments === 0 || this.#received.count === this.total;
    if (this.waits && isLast && !this.#isShared) yield* this.settling();
  }
}

/** @throws ArgumentError */
function checkFragment(fragment: HoloFragment, least: number, most: number): void {
  check('fragment', fragment, object);
  check('data', fragment.data, typedArray('Uint8Array'));
  // Of many that are as they must be, a rule for each would take longer.
  const { index } = fragment;
  if (index !== least || index !== most) check('fragmentIndex', index, wholeNumber(least, most));
}

/** Bytes of it that were received, which pay for decoding it. */
function storedBytes({ data, entry }: HoloFragment & Partial<ReceivedFragment>): number {
  return entry?.compressedSize ?? data.length;
}

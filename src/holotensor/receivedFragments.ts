import { oneStep, type Steps } from '../async/steps.js';
import { allocationFailure, type Budget, type Cost } from '../checks/limits.js';
import type { FragmentDecoder } from '../encodings/encoding.js';
import { placed } from '../errors/placed.js';
import { FormatError, type LimitError } from '../errors.js';

/** A fragment that has been received, until its steps are done. */
interface WaitingFragment {
  readonly data: Uint8Array;
  /** Undefined until it is paid for. */
  steps: Steps<boolean> | undefined;
  /** Undefined until it is done. */
  isNew: boolean | undefined;
}

/** The fragments of a tensor on their way to its decoder: each waits until the bytes received pay for it. */
export class ReceivedFragments {
  readonly #decoder: FragmentDecoder;
  readonly #budget: Budget;
  readonly #elements: number;
  /** Whether the output has been paid for. */
  #paid = false;
  /** Fragments whose bytes have been counted. */
  readonly #counted = new Set<number>();
  /** In the order in which they came. */
  readonly #waiting = new Map<number, WaitingFragment>();
  /** Why the first of them waits. */
  #unpaid: LimitError | undefined;
  #added = 0;

  /** @param elements of the output */
  constructor(decoder: FragmentDecoder, budget: Budget, elements: number) {
    this.#decoder = decoder;
    this.#budget = budget;
    this.#elements = elements;
  }

  /** Different fragments. */
  get count(): number {
    return this.#counted.size;
  }

  /** Those that the decoder has. */
  get added(): number {
    return this.#added;
  }

  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** A reconstruction has found one of them corrupt: the decoder does not have it any more, and it may come again. */
  lose(): void {
    this.#added -= 1;
  }

  /**
   * @param bytes that it took to receive it
   * @returns false when it had been received before
   */
  *adding(index: number, data: Uint8Array, bytes: number): Steps<boolean> {
    if (!this.#counted.has(index)) this.#budget.received += bytes;
    this.#counted.add(index);
    const before = this.#waiting.get(index);
    const waits = before !== undefined && before.steps === undefined;
    const waiting = before ?? { data, steps: undefined, isNew: undefined };
    this.#waiting.set(index, waiting);
    yield* this.#addPaid();
    return !waits && (waiting.isNew ?? true);
  }

  /**
   * See `HoloTensorDecoder`.
   * @param bytes that were received of them
   */
  *addingTogether(payloads: readonly Uint8Array[], bytes: number): Steps<void> {
    const { cost, steps } = this.#decoder.together!(payloads);
    this.#budget.received += bytes;
    if (!this.#paysOutput() || !this.#paysFor(cost)) {
      this.#budget.received -= bytes;
      throw this.#unpaid;
    }
    yield* steps;
    for (const index of payloads.keys()) this.#counted.add(index);
    this.#added = payloads.length;
  }

  /** See `HoloTensorDecoder`. */
  *settling(): Steps<void> {
    yield* this.#addPaid();
    if (this.waits && this.#unpaid !== undefined) throw this.#unpaid;
    if (this.#added > 0) this.#budget.check(this.#decoder.costOfReconstructing());
  }

  /** Adds the fragments that wait, up to the first that is not paid for. */
  *#addPaid(): Steps<void> {
    for (const [index, fragment] of this.#waiting) {
      let pays = true;
      try {
        pays = fragment.steps !== undefined || this.#pay(index, fragment.data);
        if (!pays) return;
        const whole = () => this.#decoder.addFragment(index, fragment.data);
        fragment.steps ??= this.#decoder.adding?.(index, fragment.data) ?? oneStep(whole);
        const isNew = yield* fragment.steps;
        fragment.isNew ??= isNew;
        if (isNew) this.#added += 1;
      } catch (error) {
        throw placed(allocationFailure(error), FormatError, { fragmentIndex: index });
      } finally {
        if (pays) this.#waiting.delete(index);
      }
    }
  }

  /** False where this fragment, and the output before the first one, are not paid for yet. */
  #pay(index: number, data: Uint8Array): boolean {
    return this.#paysOutput() && this.#paysFor(this.#decoder.costOfAdding(index, data));
  }

  #paysOutput(): boolean {
    const output = { bytes: Float32Array.BYTES_PER_ELEMENT * this.#elements, steps: 0 };
    this.#paid ||= this.#paysFor(output);
    return this.#paid;
  }

  #paysFor(cost: Cost): boolean {
    this.#unpaid = this.#budget.trySpend(cost);
    return this.#unpaid === undefined;
  }
}

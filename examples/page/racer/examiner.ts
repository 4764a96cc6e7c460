import type { DigitsTask } from './digitsTask.js';
import type { Step } from './protocol.js';
import type { NumberTensor } from './streamed/streamed.js';

/** A state of the model that has not been examined yet. */
export interface Snapshot extends Omit<Step, 'accuracy' | 'answers'> {
  readonly tensors: ReadonlyMap<string, NumberTensor>;
}

/**
 * Measures the accuracy of each state of the model, in order, while the load goes on: the time of a state is that of its
 * last fragment, not that of its examination.
 */
export class Examiner {
  readonly #task: DigitsTask | undefined;
  readonly #onStep: (step: Step, tensors: Snapshot['tensors']) => void;
  readonly #waiting: Snapshot[] = [];
  #working: Promise<void> | undefined;
  #begun = false;

  constructor(task: DigitsTask | undefined, onStep: (step: Step, tensors: Snapshot['tensors']) => void) {
    this.#task = task;
    this.#onStep = onStep;
  }

  /** @param mostWaiting states that may wait; then a newer one takes the place of the last */
  add(snapshot: Snapshot, mostWaiting = Number.POSITIVE_INFINITY): void {
    if (this.#waiting.length >= mostWaiting) this.#waiting.pop();
    this.#waiting.push(snapshot);
    if (this.#begun) this.#working ??= this.#work();
  }

  /** States that came before have waited: while fragments are here already, they go first. */
  begin(): void {
    this.#begun = true;
    if (this.#waiting.length > 0) this.#working ??= this.#work();
  }

  /** Until all have been examined. */
  async finish(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { tensors, ...step } = next;
      const worth = await this.#task?.evaluate(tensors);
      const { accuracy, answers = [] } = worth ?? { accuracy: undefined };
      this.#onStep({ ...step, accuracy, answers }, tensors);
    }
    this.#working = undefined;
  }
}

import { type Observable, Subject } from 'rxjs';
import { nextTask, nextTurn } from '../src/async/steps.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { LoadedTensor, OutputOptions, OutputType } from './output.js';
import type { TensorState } from './tensorState.js';

/** The tensors of a model as they improve. Arrays are made only while there are subscribers. */
export class TensorUpdates {
  readonly all$: Observable<LoadedTensor<OutputType>>;
  readonly #fail: (error: unknown) => void;
  readonly #subject = new Subject<LoadedTensor<OutputType>>();
  /** Those that have improved since they were last given out. */
  readonly #better = new Set<TensorState>();
  /** They are being given out, or will be. */
  #announced = false;
  #last: Promise<void> = Promise.resolve();

  /** @param fail ends the load: a tensor cannot be reconstructed */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
    this.all$ = this.#subject.asObservable();
  }

  /** Notes that a tensor has improved; arrays are made in the next task, once for all pieces that arrived by then. */
  announce(state: TensorState, options: OutputOptions & AbortOptions): void {
    if (!this.#subject.observed) return;
    this.#better.add(state);
    if (this.#announced) return;
    this.#announced = true;
    nextTask()
      .then(() => this.emit(options))
      .catch((error) => {
        // A load that was aborted has ended, and the next one may have begun.
        if (!options.signal?.aborted) this.#fail(error);
      });
  }

  /** Gives out all that have improved: one at a time, so that one that improves meanwhile is read once. */
  emit(options: OutputOptions & AbortOptions): Promise<void> {
    const emitted = this.#last.then(() => this.#emitAll(options));
    this.#last = emitted.catch(() => {});
    return emitted;
  }

  async #emitAll(options: OutputOptions & AbortOptions): Promise<void> {
    try {
      for (const state of this.#better) {
        await nextTurn(options.signal);
        this.#better.delete(state);
        const tensor = await state.read(options);
        if (tensor !== undefined) this.#subject.next(tensor);
      }
    } finally {
      this.#announced = false;
    }
  }

  complete(): void {
    this.#subject.complete();
  }
}

import { type Observable, Subject } from 'rxjs';
import { nextTask, Turns } from '../src/async/steps.js';
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

  /** @param fail ends the load: a tensor cannot be reconstructed */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
    this.all$ = this.#subject.asObservable();
  }

  /** Notes that a tensor has improved; arrays are made in the next task, once for all pieces that arrived by then. */
  announce(state: TensorState, options: OutputOptions): void {
    if (!this.#subject.observed) return;
    if (this.#better.size === 0) {
      nextTask()
        .then(() => this.emit(options))
        .catch(this.#fail);
    }
    this.#better.add(state);
  }

  /** Gives out all that have improved. */
  async emit(options: OutputOptions & AbortOptions): Promise<void> {
    const turns = new Turns();
    for (const state of this.#better) {
      await turns.next(options.signal);
      this.#better.delete(state);
      const tensor = await state.read(options);
      if (tensor !== undefined) this.#subject.next(tensor);
    }
  }

  complete(): void {
    this.#subject.complete();
  }
}

import { Observable, type OperatorFunction, type Subscriber, takeWhile } from 'rxjs';
import { NOTHING, type Stage, type StageFactory } from '../src/stage.js';

/**
 * A {@link Stage} as an RxJS operator: the same work as `StageStream`, without its backpressure. The source is
 * subscribed at once; values that come before the stage has loaded, or while it works asynchronously, wait in order.
 *
 * Not built of `concatMap`: that takes a value that has waited in a call within the one of the value before, and some
 * thousands of them are more than the call stack holds.
 */
export function stageOperator<I, O>(factory: StageFactory<I, O>): OperatorFunction<I, O> {
  return (source) =>
    new Observable((subscriber) => {
      const run = new StageRun(factory, subscriber);
      // A source that gives all its values at once does not hear of an end before it has given them.
      const open = source.pipe(takeWhile(() => !subscriber.closed));
      subscriber.add(
        open.subscribe({
          next: (input) => run.take(input),
          error: (error: unknown) => subscriber.error(error),
          complete: () => run.complete(),
        }),
      );
      subscriber.add(() => run.end());
    });
}

/** The stage of one subscription: works at once as long as it is synchronous, and later where it has to wait. */
class StageRun<I, O> {
  readonly #factory: StageFactory<I, O>;
  readonly #subscriber: Subscriber<O>;
  /** Inputs, and how many of them have been taken. */
  #inputs: I[] = [];
  #taken = 0;
  #stage: Stage<I, O> | undefined;
  #state: 'open' | 'completed' | 'flushed' = 'open';
  #working = false;

  constructor(factory: StageFactory<I, O>, subscriber: Subscriber<O>) {
    this.#factory = factory;
    this.#subscriber = subscriber;
  }

  take(input: I): void {
    this.#inputs.push(input);
    if (!this.#working) this.#work();
  }

  complete(): void {
    this.#state = 'completed';
    if (!this.#working) this.#work();
  }

  end(): void {
    this.#inputs = [];
    this.#stage?.close?.();
  }

  /** Goes on until it must wait: for more input, or for the stage, and then it goes on by itself. */
  #work(): void {
    this.#working = true;
    const subscriber = this.#subscriber;
    try {
      while (!subscriber.closed) {
        const wait = this.#step();
        if (wait === 'idle') break;
        if (wait === undefined) continue;
        wait.then(
          () => this.#work(),
          (error: unknown) => subscriber.error(error),
        );
        return;
      }
    } catch (error) {
      subscriber.error(error);
    }
    this.#working = false;
  }

  /** One thing after the other; a promise where it takes time. */
  #step(): Promise<void> | 'idle' | undefined {
    const stage = this.#stage;
    if (stage === undefined) return this.#load();
    if (this.#taken < this.#inputs.length) return this.#give(stage.push(this.#next()));
    if (this.#state === 'open') return 'idle';
    if (this.#state === 'completed') {
      this.#state = 'flushed';
      return this.#give(stage.flush());
    }
    this.#subscriber.complete();
    return undefined;
  }

  #next(): I {
    const input = this.#inputs[this.#taken++]!;
    if (this.#taken === this.#inputs.length) {
      this.#inputs.length = 0;
      this.#taken = 0;
    }
    return input;
  }

  #load(): Promise<void> | undefined {
    const keep = (made: Stage<I, O>) => {
      if (this.#subscriber.closed) made.close?.();
      else this.#stage = made;
    };
    const made = this.#factory();
    if (made instanceof Promise) return made.then(keep);
    keep(made);
    return undefined;
  }

  /** Passes outputs on until nobody wants them any more; a promise where they take time. */
  #give(outputs: Iterable<O> | AsyncIterable<O>): Promise<void> | undefined {
    if (outputs === NOTHING) return undefined;
    if (Symbol.asyncIterator in outputs) return this.#giveSlowly(outputs);
    for (const output of outputs) {
      this.#subscriber.next(output);
      if (this.#subscriber.closed) break;
    }
    return undefined;
  }

  async #giveSlowly(outputs: AsyncIterable<O>): Promise<void> {
    for await (const output of outputs) {
      this.#subscriber.next(output);
      if (this.#subscriber.closed) break;
    }
  }
}

import { asyncScheduler, Observable, type OperatorFunction, type Subscriber, takeWhile } from 'rxjs';
import { callback, check } from '../src/checks/options.js';
import type { LatestStageFactory, StageFactory } from '../src/stage.js';
import { type LatestConsumer, LatestRun, type Scheduler } from './latestRun.js';
import { type Run, StageRun } from './stageRun.js';

/**
 * A {@link Stage} as an RxJS operator: the same work as `StageStream`, without its backpressure. The source is
 * subscribed at once; values that come before the stage has loaded, or while it works asynchronously, wait in order.
 *
 * @example
 * // Every second byte.
 * const half = () => ({ push: (chunk: Uint8Array) => [chunk.filter((_, i) => i % 2 === 0)], flush: () => [] });
 * fromReadableStream(new Blob(['abcd'])).pipe(stageOperator(half)).subscribe((bytes) => console.log(bytes.length));
 */
export function stageOperator<I, O>(factory: StageFactory<I, O>): OperatorFunction<I, O> {
  check('factory', factory, callback);
  return runOperator((consumer) => new StageRun(factory, consumer));
}

/**
 * A {@link LatestStage} as an RxJS operator: gives each state that is due, and skips those for which there is no time.
 */
export function latestOperator<I, O>(
  factory: LatestStageFactory<I, O>,
  scheduler: Scheduler = asyncScheduler,
): OperatorFunction<I, O> {
  return runOperator((consumer) => new LatestRun(factory, consumer, scheduler));
}

function runOperator<I, O>(begin: (consumer: LatestConsumer<O>) => Run<I>): OperatorFunction<I, O> {
  return (source) =>
    new Observable((subscriber) => {
      const feed = new Feed(subscriber, begin);
      // A source that gives all its values at once does not hear of an end before it has given them.
      const open = source.pipe(takeWhile(() => !subscriber.closed));
      subscriber.add(
        open.subscribe({
          next: (input) => feed.take(input),
          error: (reason: unknown) => feed.end({ reason }),
          complete: () => feed.end(),
        }),
      );
      subscriber.add(() => feed.close());
    });
}

/**
 * The values of one subscription, on their way into a run.
 *
 * Not built of `concatMap`: that takes a value that has waited in a call within the one of the value before, and some
 * thousands of them are more than the call stack holds.
 */
class Feed<I, O> {
  readonly #subscriber: Subscriber<O>;
  readonly #run: Run<I>;
  /** Inputs, and how many of them have been taken. */
  #inputs: I[] = [];
  #taken = 0;
  #state: 'open' | 'ended' | 'flushed' = 'open';
  #failure: { readonly reason: unknown } | undefined;
  #working = false;

  constructor(subscriber: Subscriber<O>, begin: (consumer: LatestConsumer<O>) => Run<I>) {
    this.#subscriber = subscriber;
    this.#run = begin({
      pulls: false,
      asks: true,
      get closed() {
        return subscriber.closed;
      },
      demand: () => Promise.resolve(),
      next: (output) => subscriber.next(output),
      complete: () => subscriber.complete(),
      error: (reason) => subscriber.error(reason),
    });
  }

  take(input: I): void {
    this.#inputs.push(input);
    if (!this.#working) this.#work();
  }

  /** The values that came before are processed first, also when the source has failed. */
  end(failure?: { readonly reason: unknown }): void {
    this.#state = 'ended';
    this.#failure = failure;
    if (!this.#working) this.#work();
  }

  close(): void {
    this.#inputs = [];
    this.#run.close();
  }

  /** Works until it must wait: for more input, or for the run, which continues it. */
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
    if (this.#taken < this.#inputs.length) return this.#run.push(this.#next());
    if (this.#state === 'open') return 'idle';
    if (this.#state === 'ended') {
      this.#state = 'flushed';
      return this.#failure ? this.#run.settle?.() : this.#run.flush();
    }
    if (this.#failure) this.#subscriber.error(this.#failure.reason);
    else this.#subscriber.complete();
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
}

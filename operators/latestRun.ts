import { MAX_DELAY } from '../platform/timer.js';
import { isPromise } from '../src/async/after.js';
import { nextTask } from '../src/async/steps.js';
import type { LatestStage, LatestStageFactory } from '../src/stage.js';
import type { Consumer, Run } from './stageRun.js';

/** A clock and its timers: any scheduler of RxJS is one. */
export interface Scheduler {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `work` once, unless it is unsubscribed before: after `delay` milliseconds; default 0, in the next task. */
  schedule(work: () => void, delay?: number): { unsubscribe(): void };
}

/** The engine's own. */
export const TIMERS: Scheduler = {
  now: () => performance.now(),
  schedule(work, delay = 0) {
    const timer = setTimeout(work, delay);
    return { unsubscribe: () => clearTimeout(timer) };
  },
};

/**
 * Where the consumer does not pull, an output that took longer than a frame of a display (60 a second) makes the next
 * one wait for a task of its own, so that everything that arrives meanwhile goes into it.
 */
const LONG_MS = 16;

/** One that also hears of what fails between two inputs. */
export interface LatestConsumer<O> extends Consumer<O> {
  /** It asks for each value. Others always ask, and cannot say that they are busy. */
  readonly pulls: boolean;
  error(reason: unknown): void;
}

/**
 * Drives a {@link LatestStage}: gives it input as it comes, and passes its state on when the consumer asks and an
 * output is due.
 */
export class LatestRun<I, O> implements Run<I> {
  readonly #factory: LatestStageFactory<I, O>;
  readonly #consumer: LatestConsumer<O>;
  readonly #scheduler: Scheduler;
  #stage: LatestStage<I, O> | undefined;
  /** Runs when an output is due that was not when it was asked for. */
  #timer: { unsubscribe(): void } | undefined;
  /** An output that is being made elsewhere. */
  #taking: Promise<void> | undefined;
  /** How long the last one took. */
  #took = 0;
  #flushing = false;
  #lastIsOut: (() => void) | undefined;

  constructor(factory: LatestStageFactory<I, O>, consumer: LatestConsumer<O>, scheduler: Scheduler) {
    this.#factory = factory;
    this.#consumer = consumer;
    this.#scheduler = scheduler;
    this.#listen();
  }

  push(input: I): Promise<void> | undefined {
    if (this.#consumer.closed) return undefined;
    if (this.#stage !== undefined) return this.#add(this.#stage, input);
    const made = this.#factory(input);
    if (isPromise(made)) return made.then((stage) => this.#begin(stage, input));
    return this.#begin(made, input);
  }

  flush(): Promise<void> | undefined {
    this.#stage?.end?.();
    return this.settle();
  }

  /** The last state does not wait until it is due. */
  settle(): Promise<void> | undefined {
    this.#flushing = true;
    this.#offer();
    const isOut = this.#taking === undefined && !this.#stage?.changed;
    if (isOut || this.#consumer.closed) return undefined;
    return new Promise((resolve) => {
      this.#lastIsOut = resolve;
    });
  }

  close(): void {
    this.#timer?.unsubscribe();
    this.#stage?.close?.();
    this.#lastIsOut?.();
  }

  #begin(stage: LatestStage<I, O>, input: I): Promise<void> | undefined {
    if (this.#consumer.closed) {
      stage.close?.();
      return undefined;
    }
    this.#stage = stage;
    return this.#add(stage, input);
  }

  #add(stage: LatestStage<I, O>, input: I): Promise<void> | undefined {
    const added = stage.add(input);
    return added === undefined ? this.#offerAndWait() : added.then(() => this.#offerAndWait());
  }

  /** A reader may find an output good enough and cancel: the next input waits until the reader has had the chance. */
  #offerAndWait(): Promise<void> | undefined {
    if (!this.#offer() || !this.#consumer.pulls) return undefined;
    return (this.#taking ?? Promise.resolve()).then(nextTask);
  }

  #listen(): void {
    if (this.#consumer.pulls) void this.#consumer.demand().then(() => this.#offer());
  }

  /** Has an output made if one is wanted and due; true when it did. */
  #offer(): boolean {
    const { asks, closed } = this.#consumer;
    const stage = this.#stage;
    if (!asks || closed || this.#taking !== undefined || !stage?.changed) return false;
    const now = this.#scheduler.now();
    const delay = this.#flushing ? 0 : stage.delay(now);
    const rests = !this.#flushing && this.#took > LONG_MS;
    if (delay > 0 || rests) {
      if (delay < Number.POSITIVE_INFINITY) {
        // An output that is due later than any timer can wait gets another timer when this one wakes.
        this.#timer ??= this.#scheduler.schedule(() => this.#wake(), Math.min(delay, MAX_DELAY));
      }
      return false;
    }
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#take(stage, now);
    return true;
  }

  #wake(): void {
    this.#timer = undefined;
    this.#took = 0;
    this.#offer();
  }

  #take(stage: LatestStage<I, O>, now: number): void {
    try {
      const output = stage.take(now);
      if (isPromise(output)) {
        this.#taking = output.then(
          (value) => {
            this.#taking = undefined;
            this.#give(stage, value);
            // Subscribers do not ask again for what came in meanwhile.
            if (!this.#consumer.pulls) this.#offer();
          },
          (error: unknown) => this.#consumer.error(error),
        );
        return;
      }
      if (!this.#consumer.pulls) this.#took = this.#scheduler.now() - now;
      this.#give(stage, output);
    } catch (error) {
      this.#consumer.error(error);
    }
  }

  #give(stage: LatestStage<I, O>, output: O): void {
    if (this.#consumer.closed) return;
    this.#consumer.next(output);
    this.#listen();
    if (!stage.changed) this.#lastIsOut?.();
  }
}

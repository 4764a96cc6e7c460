import { isPromise } from '../src/async/after.js';
import { NOTHING, type Outputs, type Stage, type StageFactory } from '../src/stage.js';

/** Where the outputs of a stage go: the reader of a stream, a subscriber, whatever waits for a result. */
export interface Consumer<O> {
  /** It asks for a value now. The reader of a stream asks for each, and holds the input back; others always ask. */
  readonly asks: boolean;
  /** It takes nothing more: it has cancelled, or has been told that all has ended. */
  readonly closed: boolean;
  /** Resolves when it asks, or is closed. */
  demand(): Promise<void>;
  next(output: O): void;
  /** Ends both sides, the input too. */
  complete(): void;
}

/**
 * A stage at work for one consumer. One call at a time, and none when the consumer is closed. Where nothing has to
 * wait, a call does all its work at once, and returns nothing; else a promise. What the stage throws, it throws.
 */
export interface Run<I> {
  push(input: I): Promise<void> | undefined;
  /** All output has been given when it ends; completing the consumer is left to the caller. */
  flush(): Promise<void> | undefined;
  /** The input has failed: gives what is still due to the consumer before that hears of it. */
  settle?(): Promise<void> | undefined;
  /** Called once, when the consumer is closed. */
  close(): void;
}

/** Drives a {@link Stage}: makes it when there is input, hands its outputs on in order, each when it is asked for. */
export class StageRun<I, O> implements Run<I> {
  readonly #factory: StageFactory<I, O>;
  readonly #consumer: Consumer<O>;
  #stage: Stage<I, O> | undefined;

  constructor(factory: StageFactory<I, O>, consumer: Consumer<O>) {
    this.#factory = factory;
    this.#consumer = consumer;
  }

  push(input: I): Promise<void> | undefined {
    const stage = this.#stage;
    // Small chunks come by the thousand: most of them end here.
    if (stage === undefined || !this.#consumer.asks) return this.#pushLater(input);
    const outputs = stage.push(input);
    return outputs === NOTHING ? undefined : this.#give(outputs);
  }

  flush(): Promise<void> | undefined {
    return this.#step((stage) => stage.flush());
  }

  close(): void {
    this.#stage?.close?.();
  }

  /** The source is never read ahead of demand: input waits until the consumer asks. */
  #pushLater(input: I): Promise<void> | undefined {
    const step = (stage: Stage<I, O>) => stage.push(input);
    return this.#consumer.asks ? this.#step(step) : this.#consumer.demand().then(() => this.#step(step));
  }

  #step(step: (stage: Stage<I, O>) => Outputs<O>): Promise<void> | undefined {
    if (this.#consumer.closed) return undefined;
    if (this.#stage !== undefined) return this.#give(step(this.#stage));
    const made = this.#factory();
    if (isPromise(made)) {
      return made.then((stage) => {
        if (this.#consumer.closed) stage.close?.();
        else this.#stage = stage;
        return this.#step(step);
      });
    }
    this.#stage = made;
    return this.#give(step(made));
  }

  #give(outputs: Outputs<O>): Promise<void> | undefined {
    if (Symbol.asyncIterator in outputs) return this.#giveAsync(outputs);
    const rest = outputs[Symbol.iterator]();
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      if (!this.#consumer.asks) return this.#giveOnDemand(next.value, rest);
      this.#next(next.value);
      if (this.#consumer.closed) {
        rest.return?.();
        break;
      }
    }
    return undefined;
  }

  /** A loop of its own: awaiting the results of a synchronous iterator would cost a microtask per value. */
  async #giveOnDemand(first: O, rest: Iterator<O>): Promise<void> {
    for (let next: IteratorResult<O> = { value: first }; next.done !== true; next = rest.next()) {
      if (!this.#consumer.asks) await this.#consumer.demand();
      if (!this.#consumer.closed) this.#next(next.value);
      if (this.#consumer.closed) {
        rest.return?.();
        return;
      }
    }
  }

  async #giveAsync(outputs: AsyncIterable<O>): Promise<void> {
    for await (const output of outputs) {
      if (!this.#consumer.asks) await this.#consumer.demand();
      if (!this.#consumer.closed) this.#next(output);
      if (this.#consumer.closed) return;
    }
  }

  #next(output: O): void {
    this.#consumer.next(output);
    if (this.#stage!.done) this.#consumer.complete();
  }
}

import type { Stage, StageFactory } from '../src/stage.js';
import { BaseTransformStream } from './streamClasses.js';

/**
 * A {@link Stage} as a TransformStream.
 *
 * A plain TransformStream queues all outputs of one input at once: a 64 KiB chunk of well-compressed blocks would
 * become megabytes. Here outputs are pulled one at a time, each only when the reader asks for it; the next input is
 * taken when the outputs of the last are gone and the reader asks for more, so that nothing is fetched for nobody.
 */
export class StageStream<I, O> extends BaseTransformStream<I, O> {
  constructor(factory: StageFactory<I, O>) {
    super();
    const pair = new StagePump(factory);
    // Own properties shadow the prototype's accessors: pipeThrough, Duplex.fromWeb and the like see these.
    Object.defineProperty(this, 'readable', { value: pair.readable });
    Object.defineProperty(this, 'writable', { value: pair.writable });
  }
}

class StagePump<I, O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
  readonly #factory: StageFactory<I, O>;
  #stage: Stage<I, O> | undefined;
  #out!: ReadableStreamDefaultController<O>;
  #in!: WritableStreamDefaultController;
  #wanted = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(factory: StageFactory<I, O>) {
    this.#factory = factory;
    this.readable = new ReadableStream<O>(
      {
        start: (controller) => {
          this.#out = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.#wake?.();
        },
        cancel: (reason) => {
          this.#end();
          this.#in.error(reason);
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<I>(
      {
        start: (controller) => {
          this.#in = controller;
          // `abort` itself is called only after a write under way has ended, and that one may wait for a reader.
          controller.signal.addEventListener('abort', () => this.#fail(controller.signal.reason), {
            once: true,
          });
        },
        write: async (input) => {
          if (await this.#demand()) await this.#run((stage) => stage.push(input));
        },
        close: async () => {
          await this.#run((stage) => stage.flush());
          if (this.#ended) return;
          this.#end();
          this.#out.close();
        },
      },
      { highWaterMark: 1 },
    );
  }

  async #run(step: (stage: Stage<I, O>) => Iterable<O> | AsyncIterable<O>): Promise<void> {
    try {
      const stage = await this.#ready();
      if (stage === undefined) return;
      const outputs = step(stage);
      // One loop each: awaiting the results of a synchronous iterator would cost a turn of the queue per value.
      if (Symbol.asyncIterator in outputs) {
        for await (const output of outputs) if (!(await this.#give(output))) return;
      } else {
        for (const output of outputs) if (!(await this.#give(output))) return;
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #ready(): Promise<Stage<I, O> | undefined> {
    if (this.#stage === undefined && !this.#ended) {
      const stage = await this.#factory();
      if (this.#ended) stage.close?.();
      else this.#stage = stage;
    }
    return this.#ended ? undefined : this.#stage;
  }

  /** Resolves when the reader asks for a value; to false when the stream has ended meanwhile. */
  async #demand(): Promise<boolean> {
    if (!this.#wanted && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return !this.#ended;
  }

  /** Hands one value to the reader when it asks; false when the stream has ended meanwhile. */
  async #give(output: O): Promise<boolean> {
    if (!(await this.#demand())) return false;
    this.#wanted = false;
    this.#out.enqueue(output);
    return true;
  }

  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#end();
    this.#out.error(reason);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stage?.close?.();
    this.#wake?.();
  }
}

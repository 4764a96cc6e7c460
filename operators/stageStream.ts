import { withByteReaders } from '../platform/byteStream.js';
import { nextTurn } from '../src/async/steps.js';
import { callback, check } from '../src/checks/options.js';
import type { LatestStageFactory, StageFactory } from '../src/stage.js';
import { type LatestConsumer, LatestRun, type Scheduler, TIMERS } from './latestRun.js';
import { type Run, StageRun } from './stageRun.js';
import { BaseTransformStream } from './streamClasses.js';

/**
 * A {@link Stage} as a TransformStream.
 *
 * A plain TransformStream queues all outputs of one input at once: a 64 KiB chunk of well-compressed blocks would
 * become megabytes. Here outputs are pulled one at a time, each only when the reader asks for it; the next input is
 * taken when the outputs of the last are gone and the reader asks for more, so the source is never read ahead of
 * demand.
 *
 * @example
 * // Every second byte.
 * const half = () => ({ push: (chunk: Uint8Array) => [chunk.filter((_, i) => i % 2 === 0)], flush: () => [] });
 * for await (const bytes of new Blob(['abcd']).stream().pipeThrough(new StageStream(half))) console.log(bytes.length);
 */
export class StageStream<I, O> extends BaseTransformStream<I, O> {
  constructor(factory: StageFactory<I, O>) {
    super();
    check('factory', factory, callback);
    showPair(this, new StreamPair<I, O>((consumer) => new StageRun(factory, consumer)));
  }
}

/** A {@link Stage} whose outputs are bytes: its `readable` has byte readers, too. */
export class ByteStageStream<I> extends StageStream<I, Uint8Array> {
  constructor(factory: StageFactory<I, Uint8Array>) {
    super(factory);
    withByteReaders(this.readable);
  }
}

/** A {@link LatestStage} as a TransformStream: takes input as it comes, and gives the newest state when it is read. */
export class LatestStream<I, O> extends BaseTransformStream<I, O> {
  constructor(factory: LatestStageFactory<I, O>, scheduler: Scheduler = TIMERS) {
    super();
    showPair(this, new StreamPair<I, O>((consumer) => new LatestRun(factory, consumer, scheduler)));
  }
}

/** Own properties shadow the prototype's accessors: pipeThrough, Duplex.fromWeb and the like see these. */
function showPair<I, O>(stream: TransformStream<I, O>, { readable, writable }: StreamPair<I, O>): void {
  // A transfer would move the engine's own pair, which passes everything on unchanged. Of a locked one, it fails.
  stream.readable.getReader();
  Object.defineProperty(stream, 'readable', { value: readable });
  Object.defineProperty(stream, 'writable', { value: writable });
}

/** The two ends of a run: what is written is its input, and the reader its consumer. */
class StreamPair<I, O> implements LatestConsumer<O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
  readonly pulls = true;
  asks = false;
  closed = false;
  readonly #run: Run<I>;
  #out!: ReadableStreamDefaultController<O>;
  #in!: WritableStreamDefaultController;
  #wake: (() => void) | undefined;

  constructor(begin: (consumer: LatestConsumer<O>) => Run<I>) {
    this.#run = begin(this);
    this.readable = new ReadableStream<O>(
      {
        start: (controller) => {
          this.#out = controller;
        },
        pull: () => {
          this.asks = true;
          this.#wakeUp();
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
          controller.signal.addEventListener('abort', () => this.#failReader(controller.signal.reason), {
            once: true,
          });
        },
        write: (input) => this.#guard(() => this.#run.push(input)),
        close: async () => {
          await this.#guard(() => this.#run.flush());
          if (this.closed) return;
          this.#end();
          this.#out.close();
        },
      },
      { highWaterMark: 1 },
    );
  }

  async demand(): Promise<void> {
    if (this.asks || this.closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Forgets the waiter before it continues: by then, another may be waiting. */
  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  next(output: O): void {
    this.asks = false;
    this.#out.enqueue(output);
  }

  complete(): void {
    if (this.closed) return;
    this.#end();
    this.#out.close();
    this.#in.error(new TypeError('Cannot write to the stream: it needs no further input'));
  }

  error(reason: unknown): void {
    if (this.closed) return;
    this.#failReader(reason);
    this.#in.error(reason);
  }

  #failReader(reason: unknown): void {
    if (this.closed) return;
    this.#end();
    this.#out.error(reason);
  }

  async #guard(step: () => Promise<void> | undefined): Promise<void> {
    try {
      await step();
      // Where all chunks are in memory, nothing else would let other tasks in.
      await nextTurn();
    } catch (error) {
      // What the end itself breaks off is no error of the write: Node's `pipeTo`, when it is aborted, would not cancel its
      // source after one.
      if (this.closed) return;
      this.error(error);
      throw error;
    }
  }

  #end(): void {
    this.closed = true;
    this.#run.close();
    this.#wakeUp();
  }
}

import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { type ReconstructOptions, Reconstructor } from '../../src/holotensor/reconstructor.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { nextTask } from '../../src/nextTask.js';

/**
 * The fragments of one tensor in; the tensor out, better each time, when the reader asks and `emit` says that one is
 * due. Fragments are taken as they arrive; those that arrive while the reader is busy all go into its next
 * reconstruction. The last state always comes.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one.
 *
 * @example
 * const tensors = response.body.pipeThrough(new HolotensorFragmentStream()).pipeThrough(new ReconstructStream());
 * for await (const { data, quality } of tensors) draw(data, quality.cosine);
 */
export class ReconstructStream extends TransformStream<ReceivedFragment, Reconstruction> {
  constructor(options: ReconstructOptions = {}) {
    super();
    const pair = new ReconstructPump(options);
    // Own properties shadow the prototype's accessors: pipeThrough, Duplex.fromWeb and the like see these.
    Object.defineProperty(this, 'readable', { value: pair.readable });
    Object.defineProperty(this, 'writable', { value: pair.writable });
  }
}

class ReconstructPump {
  readonly readable: ReadableStream<Reconstruction>;
  readonly writable: WritableStream<ReceivedFragment>;
  readonly #options: ReconstructOptions;
  #reconstructor: Reconstructor | undefined;
  #out!: ReadableStreamDefaultController<Reconstruction>;
  #in!: WritableStreamDefaultController;
  /** The reader is waiting for a reconstruction. */
  #wanted = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Lets the closing of the writable go on; there when all fragments are in and the last state is not out. */
  #lastIsOut: (() => void) | undefined;

  constructor(options: ReconstructOptions) {
    this.#options = options;
    this.readable = new ReadableStream<Reconstruction>(
      {
        start: (controller) => {
          this.#out = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.#giveIfDue();
        },
        cancel: (reason) => {
          this.#end();
          this.#in.error(reason);
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<ReceivedFragment>({
      start: (controller) => {
        this.#in = controller;
        // `abort` itself is called only after a write under way has ended.
        controller.signal.addEventListener('abort', () => this.#failReader(controller.signal.reason), {
          once: true,
        });
      },
      write: (fragment) => this.#take(fragment),
      close: () => this.#close(),
    });
  }

  async #take(fragment: ReceivedFragment): Promise<void> {
    try {
      this.#reconstructor ??= new Reconstructor({
        ...this.#options,
        kernels: this.#options.kernels ?? (await loadKernels()),
      });
      this.#reconstructor.add(fragment);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // Whoever got a reconstruction may find it good enough and cancel: the next fragment is not asked for before.
    if (this.#giveIfDue()) await nextTask();
  }

  /** The last state goes out when the reader asks for it. */
  async #close(): Promise<void> {
    if (this.#reconstructor?.changed) {
      await new Promise<void>((resolve) => {
        this.#lastIsOut = resolve;
        this.#giveIfDue();
      });
    }
    if (this.#ended) return;
    this.#end();
    this.#out.close();
  }

  /** Computes a reconstruction if one is wanted and due; true when it did. */
  #giveIfDue(): boolean {
    const reconstructor = this.#reconstructor;
    if (!this.#wanted || this.#ended || !reconstructor?.changed) return false;
    const now = performance.now();
    const delay = this.#lastIsOut === undefined ? reconstructor.delay(now) : 0;
    if (delay > 0) {
      if (delay < Number.POSITIVE_INFINITY) this.#timer ??= setTimeout(() => this.#wake(), delay);
      return false;
    }
    try {
      this.#wanted = false;
      this.#out.enqueue(reconstructor.take(now));
      this.#lastIsOut?.();
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  #wake(): void {
    this.#timer = undefined;
    this.#giveIfDue();
  }

  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#failReader(reason);
    this.#in.error(reason);
  }

  #failReader(reason: unknown): void {
    if (this.#ended) return;
    this.#end();
    this.#out.error(reason);
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#lastIsOut?.();
  }
}

import { nextTask } from '../../src/abort.js';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { type ReconstructOptions, Reconstructor } from '../../src/holotensor/reconstructor.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { MIN_WORKER_BYTES, poolOf, type WorkersOption } from '../../workers/pool.js';
import { BaseTransformStream } from '../streamClasses.js';
import { WorkerReconstructor } from './workerReconstructor.js';

export type ReconstructionStreamOptions = ReconstructOptions & WorkersOption;

/**
 * The fragments of one tensor in; the tensor out, better each time, when the reader asks and `emit` says that one is
 * due. Fragments are taken as they arrive; those that arrive while the reader is busy all go into its next
 * reconstruction. The last state always comes.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one. With
 * `workers`, one of them decodes, and this thread only moves the bytes.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * const tensors = response.body!.pipeThrough(new FragmentDecoderStream()).pipeThrough(new ReconstructionStream());
 * for await (const { data, quality } of tensors) console.log(data.length, quality.cosine);
 */
export class ReconstructionStream extends BaseTransformStream<ReceivedFragment, Reconstruction> {
  constructor(options: ReconstructionStreamOptions = {}) {
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
  readonly #options: ReconstructionStreamOptions;
  #reconstructor: Reconstructor | WorkerReconstructor | undefined;
  #out!: ReadableStreamDefaultController<Reconstruction>;
  #in!: WritableStreamDefaultController;
  /** The reader is waiting for a reconstruction. */
  #wanted = false;
  /** It is being made, in a worker. */
  #taking = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Lets the closing of the writable go on; there when all fragments are in and the last state is not out. */
  #lastIsOut: (() => void) | undefined;

  constructor(options: ReconstructionStreamOptions) {
    this.#options = options;
    this.readable = new ReadableStream<Reconstruction>(
      {
        start: (controller) => {
          this.#out = controller;
        },
        pull: () => {
          this.#wanted = true;
          void this.#giveIfDue();
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
      this.#reconstructor ??= await this.#createReconstructor(fragment);
      if (this.#ended) this.#reconstructor.close();
      else await this.#reconstructor.add(fragment);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // Whoever got a reconstruction may find it good enough and cancel: the next fragment is not asked for before.
    if (await this.#giveIfDue()) await nextTask();
  }

  async #createReconstructor({ header }: ReceivedFragment): Promise<Reconstructor | WorkerReconstructor> {
    const { workers, ...options } = this.#options;
    const pool = poolOf(workers);
    if (
      pool !== undefined &&
      options.kernels === undefined &&
      header.originalSize >= MIN_WORKER_BYTES.reconstruction
    )
      return new WorkerReconstructor(pool, header, options);
    return new Reconstructor({ ...options, kernels: options.kernels ?? (await loadKernels()) });
  }

  /** The last state goes out when the reader asks for it. */
  async #close(): Promise<void> {
    if (this.#reconstructor?.changed || this.#taking) {
      await new Promise<void>((resolve) => {
        this.#lastIsOut = resolve;
        void this.#giveIfDue();
      });
    }
    if (this.#ended) return;
    this.#end();
    this.#out.close();
  }

  /** Has a reconstruction made if one is wanted and due; true when it did. */
  async #giveIfDue(): Promise<boolean> {
    const reconstructor = this.#reconstructor;
    if (!this.#wanted || this.#taking || this.#ended || !reconstructor?.changed) return false;
    const now = performance.now();
    const delay = this.#lastIsOut === undefined ? reconstructor.delay(now) : 0;
    if (delay > 0) {
      if (delay < Number.POSITIVE_INFINITY) this.#timer ??= setTimeout(() => this.#wake(), delay);
      return false;
    }
    try {
      this.#wanted = false;
      this.#taking = true;
      const reconstruction = await reconstructor.take(now);
      this.#taking = false;
      if (this.#ended) return true;
      this.#out.enqueue(reconstruction);
      if (!reconstructor.changed) this.#lastIsOut?.();
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  #wake(): void {
    this.#timer = undefined;
    void this.#giveIfDue();
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
    this.#reconstructor?.close();
    this.#lastIsOut?.();
  }
}

import { oneStep, type Steps } from '../../src/async/steps.js';
import { copyAll } from '../../src/bytes/sharedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { Budget } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import { HOLO_HEADER_SIZE } from '../../src/holotensor/constants.js';
import type { FragmentIndexEntry } from '../../src/holotensor/fragment.js';
import type { HoloTensorLayout } from '../../src/holotensor/parser.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Buffers } from '../../workers/buffers.js';
import type { WorkerPool } from '../../workers/pool.js';
import type { ModelFileTensor } from './modelFile.js';

/**
 * Decodes an encoded tensor in a worker: once, when its last piece has been added or {@link settle} is called. The
 * worker verifies each fragment before it uses it.
 */
export class WorkerTensorDecoder {
  readonly tensor: ModelFileTensor;
  readonly #readFirstPiece: (bytes: Uint8Array) => HoloTensorLayout;
  readonly #pool: WorkerPool;
  readonly #budget: Budget;
  #paid = false;
  readonly #stored: { readonly entry: FragmentIndexEntry; readonly stored: Uint8Array }[] = [];
  #header: Uint8Array | undefined;
  #layout: HoloTensorLayout | undefined;
  /** The worker's result for the first `fragments` fragments. */
  #result: Omit<Reconstruction, 'header'> | undefined;

  /** @param readFirstPiece verifies and parses it: pages that decode without workers have what does */
  constructor(
    tensor: ModelFileTensor,
    readFirstPiece: (bytes: Uint8Array) => HoloTensorLayout,
    pool: WorkerPool,
    budget: Budget,
  ) {
    this.tensor = tensor;
    this.#readFirstPiece = readFirstPiece;
    this.#pool = pool;
    this.#budget = budget;
  }

  get complete(): boolean {
    return this.#result?.complete === true;
  }

  get cosine(): number {
    if (this.#result === undefined || this.#result.fragments === 0) return 0;
    const { cosine, predicted } = this.#result.quality;
    return this.complete ? 1 : (cosine ?? predicted);
  }

  /**
   * @throws ChecksumError, CodecError, FormatError, LimitError; WorkerError when the worker crashed; the reason of the signal. The
   *   piece may be added again then.
   */
  async add(piece: number, bytes: Uint8Array, options: AbortOptions): Promise<void> {
    if (piece === 0) {
      this.#layout = this.#readFirstPiece(bytes);
      this.#header = new Uint8Array(bytes.subarray(0, HOLO_HEADER_SIZE));
      return;
    }
    const entry = this.#layout?.entries[piece - 1];
    if (entry === undefined) {
      throw new FormatError('Cannot decode the fragment: the header of its tensor is missing', {
        name: this.tensor.name,
        fragmentIndex: piece - 1,
      });
    }
    this.#budget.received += bytes.length;
    // A copy: the bytes are a view of a chunk, and transferring them would send the whole chunk.
    this.#stored[piece - 1] = { entry, stored: new Uint8Array(bytes) };
    if (this.#stored.length === this.#layout!.entries.length) await this.settle(options);
  }

  /** Decodes again if fragments have been added since the last time. */
  async settle({ signal }: AbortOptions): Promise<true> {
    if (this.#header === undefined || this.#stored.length === (this.#result?.fragments ?? 0)) return true;
    const header = this.#header;
    const fragments = [...this.#stored];
    const { limits, received } = this.#budget;
    // The worker checks this tensor; here, all tensors together.
    if (!this.#paid) this.#budget.spend({ bytes: this.tensor.byteLength, steps: 0 });
    this.#paid = true;
    const prepare = (buffers: Buffers) => {
      const copies = copyAll(
        fragments.map(({ stored }) => stored),
        (size) => buffers.take(size),
      );
      return {
        input: {
          header,
          fragments: fragments.map(({ entry }, i) => ({ entry, stored: copies[i]! })),
          options: { limits, dtype: 'source' },
          received,
        },
        borrowed: copies.slice(0, 1).map(({ buffer }) => buffer),
      } as const;
    };
    this.#result = await this.#pool.runPrepared('reconstructStored', prepare, { signal });
    return true;
  }

  /** The worker's tensor in its own dtype; undefined before there is one. */
  reconstructingTensor(): Steps<Tensor | undefined> {
    const { dtype, shape } = this.tensor;
    return oneStep(() => this.#result && { dtype, shape, data: this.#result.data });
  }
}

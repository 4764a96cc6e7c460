import { Queue } from '../../src/async/queue.js';
import { inTurns } from '../../src/async/steps.js';
import { isShared } from '../../src/bytes/sharedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { allocating, type Budget } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import type { FragmentIndexEntry } from '../../src/holotensor/fragment.js';
import type { HoloTensorLayout } from '../../src/holotensor/parser.js';
import type { ReconstructStep, ReconstructStepOutput } from '../../src/holotensor/tasks.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { WorkerPool, WorkerSession } from '../../workers/pool.js';
import type { PieceDecoder, PieceOptions, ReconstructOptions } from '../inputs/content.js';
import { copied } from '../output.js';
import type { ModelFileTensor } from './modelFile.js';
import type { FirstPiece } from './tensorDecoder.js';

/**
 * Decodes an encoded tensor in a worker: fragments are transferred there, verified, and kept; reconstructions come back when they
 * are asked for. Nothing of the fragments stays in this thread.
 */
export class WorkerTensorDecoder implements PieceDecoder {
  readonly tensor: ModelFileTensor;
  readonly #readFirstPiece: (bytes: Uint8Array) => FirstPiece;
  readonly #session: WorkerSession;
  readonly #budget: Budget;
  /** Whether the output has been paid for, and the pieces whose bytes pay. */
  #paid = false;
  #counted = 0;
  /** Fragments that wait for that. */
  readonly #unpaid = new Queue<{ readonly entry: FragmentIndexEntry; readonly stored: Uint8Array }>();
  /** One that had waited did not reach the worker: it does not come again. */
  #lacks = false;
  #header: Uint8Array | undefined;
  #layout: HoloTensorLayout | undefined;
  /** What the worker said last. */
  #progress: ReconstructStepOutput | undefined;

  /** @param readFirstPiece verifies and parses it: pages that decode without workers have what does */
  constructor(
    tensor: ModelFileTensor,
    readFirstPiece: (bytes: Uint8Array) => FirstPiece,
    pool: WorkerPool,
    budget: Budget,
  ) {
    this.tensor = tensor;
    this.#readFirstPiece = readFirstPiece;
    this.#session = pool.openSession(tensor.byteLength);
    this.#budget = budget;
  }

  get complete(): boolean {
    const { fragments = 0, usable = false } = this.#progress ?? {};
    return usable && fragments === this.#layout?.entries.length;
  }

  get cosine(): number {
    if (this.#progress === undefined || !this.#progress.usable) return 0;
    const { cosine, predicted } = this.#progress.quality;
    return this.complete ? 1 : (cosine ?? predicted);
  }

  get isLost(): boolean {
    return this.#lacks || this.#session.isLost;
  }

  /**
   * @throws ChecksumError, CodecError, FormatError, LimitError; WorkerError when the worker died; the reason of the signal. The
   *   piece may be added again then.
   */
  async add(piece: number, bytes: Uint8Array, options: PieceOptions): Promise<void> {
    if (piece === this.#counted) {
      this.#counted += 1;
      this.#budget.received += bytes.length;
    }
    if (piece === 0) {
      const { header, layout } = this.#readFirstPiece(bytes);
      this.#layout = layout;
      this.#header = header;
      return;
    }
    const entry = this.#layout?.entries[piece - 1];
    if (entry === undefined) {
      throw new FormatError('Cannot decode the fragment: the header of its tensor is missing', {
        tensor: this.tensor.name,
        fragmentIndex: piece - 1,
      });
    }
    const stored = options.isOwn ? bytes : await ownCopy(bytes, options);
    this.#unpaid.add({ entry, stored });
    const output = { bytes: this.tensor.byteLength, steps: 0 };
    this.#paid ||= this.#budget.trySpend(output) === undefined;
    if (this.#paid) await this.#addAll(options, entry);
  }

  /** @throws LimitError where fragments wait that nothing has paid for */
  async settle(options: AbortOptions): Promise<true> {
    if (this.#unpaid.size > 0) {
      // The worker checks this tensor; here, all tensors together.
      this.#budget.spend({ bytes: this.tensor.byteLength, steps: 0 });
      this.#paid = true;
      await this.#addAll(options);
    }
    const { usable, waits } = this.#progress ?? { usable: true, waits: false };
    if (waits || !usable) await this.#step({ isLast: true }, options);
    return true;
  }

  /** @param latest the one that comes again if this fails */
  async #addAll(options: AbortOptions, latest?: FragmentIndexEntry): Promise<void> {
    for (let next = this.#unpaid.take(); next !== undefined; next = this.#unpaid.take()) {
      try {
        await this.#step({ fragment: next }, options, [next.stored.buffer]);
      } catch (error) {
        this.#lacks ||= next.entry !== latest;
        throw error;
      }
    }
  }

  /** The best tensor so far as numbers; in `out` if other threads can write there. Undefined before the first fragment. */
  async reconstructing(
    out: Float32Array | undefined,
    options: AbortOptions,
  ): Promise<Float32Array | undefined> {
    const shared = out !== undefined && isShared(out.buffer) ? out : undefined;
    const tensor = await this.#reconstruct({ dtype: 'F32' }, options, { out: shared });
    return shared ?? (tensor?.data as Float32Array | undefined);
  }

  /** The best tensor so far in its own dtype; undefined before the first fragment. */
  reconstructingTensor({ out, isLast, ...options }: ReconstructOptions): Promise<Tensor | undefined> {
    return this.#reconstruct({ dtype: 'source' }, options, { out, isLast }, out && [out.buffer]);
  }

  async #reconstruct(
    { dtype }: Pick<ReconstructStep['options'], 'dtype'>,
    options: AbortOptions,
    reconstruct: ReconstructStep['reconstruct'],
    transfer: readonly ArrayBufferLike[] = [],
  ): Promise<Tensor | undefined> {
    if (!this.#progress?.fragments) return undefined;
    const { reconstruction } = await this.#step({ reconstruct }, options, transfer, dtype);
    const { dtype: own, shape } = this.tensor;
    return { dtype: dtype === 'source' ? own : 'F32', shape, data: reconstruction!.data };
  }

  /** The worker forgets the tensor. */
  close(): void {
    this.#session.close();
  }

  async #step(
    step: Pick<ReconstructStep, 'fragment' | 'isLast' | 'reconstruct'>,
    { signal }: AbortOptions,
    transfer: readonly ArrayBufferLike[] = [],
    dtype?: ReconstructStep['options']['dtype'],
  ): Promise<ReconstructStepOutput> {
    const { limits } = this.#budget;
    // The worker counts the bytes of this fragment itself.
    const received = this.#budget.received - (step.fragment?.entry.compressedSize ?? 0);
    const input = { header: this.#header!, options: { limits, dtype }, received, ...step };
    const done = await this.#session.runPrepared('reconstructStep', () => ({ input, transfer }), { signal });
    const { reconstruction: _, ...progress } = done;
    this.#progress = progress;
    return done;
  }
}

/** Of bytes that are a view of a chunk: transferring them would send the whole chunk. */
async function ownCopy(bytes: Uint8Array, { signal }: AbortOptions): Promise<Uint8Array> {
  const copy = allocating(() => new Uint8Array(bytes.length));
  await inTurns(copied(bytes, copy), signal);
  return copy;
}

import { allocating } from '../src/checks/limits.js';
import type { ReceivedFragment } from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import { Pacing } from '../src/holotensor/pacing.js';
import { expectedCosine } from '../src/holotensor/quality.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import type { ReconstructOptions } from '../src/holotensor/reconstructor.js';
import { serializeHoloTensorHeader } from '../src/holotensor/serializeHeader.js';
import type { ReconstructStep, ReconstructStepOutput } from '../src/holotensor/tasks.js';
import type { LatestStage } from '../src/stage.js';
import { elementCount } from '../src/tensor/dtype.js';
import type { WorkerPool, WorkerSession } from '../workers/pool.js';
import { sharedPool } from '../workers/sharedPool.js';
import type { Prepare } from '../workers/task.js';

/** A `Reconstructor` whose decoder is in a worker: fragments go there, reconstructions come back. */
export class WorkerReconstructor extends Pacing implements LatestStage<ReceivedFragment, Reconstruction> {
  readonly #pool: WorkerPool;
  readonly #session: WorkerSession;
  readonly #header: HoloTensorHeader;
  /** What every step says. */
  readonly #common: Pick<ReconstructStep, 'header' | 'options'>;
  readonly #closed = new AbortController();
  readonly #reuses: boolean;
  /** Allocated when the worker has taken a fragment: it has checked the limits then. */
  #out: Float32Array | undefined;
  /** Fragments that the decoder has. */
  #added = 0;
  /** Those of the last reconstruction. */
  #used = 0;
  /** Others wait until they are paid for. */
  #waits = false;
  #ended = false;
  protected expected = 0;

  constructor(workers: number | WorkerPool, header: HoloTensorHeader, options: ReconstructOptions) {
    const { kernels: _, emit, reuseBuffer = true, ...rest } = options;
    super(emit);
    this.#pool = sharedPool(workers);
    this.#session = this.#pool.openSession();
    this.#header = header;
    this.#common = { header: serializeHoloTensorHeader(header), options: rest };
    this.#reuses = reuseBuffer && rest.dtype !== 'source';
  }

  /** @throws as `HoloTensorDecoder` and its `addFragment`; WorkerError */
  async add({ index, data, entry }: ReceivedFragment): Promise<void> {
    const { fragments, usable, waits } = await this.#step(() => {
      // A copy of its own: the data is a view of a chunk, and the decoder keeps it.
      const copy = new Uint8Array(data);
      return { input: { ...this.#common, fragment: { index, data: copy, entry } }, transfer: [copy.buffer] };
    });
    // Not by one that had come before.
    this.changed = usable && fragments > this.#used;
    this.#added = fragments;
    this.#waits = waits;
  }

  /** What waits ends in an error now, or in the last reconstruction. */
  end(): void {
    this.#ended = true;
    this.changed ||= this.#waits || this.#added > this.#used;
  }

  /** The tensor that all fragments so far allow. Only after at least one fragment. */
  async take(now: number): Promise<Reconstruction> {
    if (this.#reuses) {
      this.#out ??= allocating(() => new Float32Array(elementCount(this.#header.shape)));
    }
    const out = this.#out;
    const { fragments, reconstruction } = await this.#step((buffers) => {
      const target = out && new Float32Array(buffers.take(out.byteLength).buffer, 0, out.length);
      return {
        input: { ...this.#common, isLast: this.#ended, reconstruct: { out: target } },
        transfer: target === undefined ? [] : [target.buffer],
      };
    });
    this.#used = fragments;
    this.taken(now);
    const tensor = { ...reconstruction!, header: this.#header };
    if (out === undefined) return tensor;
    out.set(tensor.data as Float32Array);
    this.#pool.buffers.give([tensor.data.buffer]);
    return { ...tensor, data: out };
  }

  /** Ends what is under way; the worker forgets the tensor. */
  override close(): void {
    this.#closed.abort();
    this.#session.close();
  }

  async #step(prepare: Prepare<ReconstructStep>): Promise<ReconstructStepOutput> {
    const done = await this.#session.runPrepared('reconstructStep', prepare, { signal: this.#closed.signal });
    this.expected = expectedCosine(done.quality);
    return done;
  }
}

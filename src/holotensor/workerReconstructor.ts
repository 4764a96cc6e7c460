import { elementCount } from '../dtype.js';
import type { Prepared, WorkerSession } from '../workers/job.js';
import type { WorkerPool } from '../workers/pool.js';
import type { ReceivedFragment } from './fragment.js';
import { type HoloTensorHeader, serializeHoloTensorHeader } from './header.js';
import { expectedCosine } from './quality.js';
import type { Reconstruction } from './reconstruction.js';
import { Pacing, type ReconstructOptions } from './reconstructor.js';
import type { ReconstructStep, ReconstructStepOutput } from './reconstructStep.js';

/** A `Reconstructor` whose decoder is in a worker: fragments go there, reconstructions come back. */
export class WorkerReconstructor {
  readonly #pool: WorkerPool;
  readonly #session: WorkerSession;
  readonly #header: HoloTensorHeader;
  /** What every step says. */
  readonly #common: Pick<ReconstructStep, 'header' | 'options'>;
  readonly #pacing: Pacing;
  readonly #closed = new AbortController();
  readonly #out: Float32Array | undefined;
  #expected = 0;
  #added = 0;
  #taken = 0;

  constructor(pool: WorkerPool, header: HoloTensorHeader, options: ReconstructOptions) {
    const { kernels: _, emit, reuseBuffer = true, ...rest } = options;
    this.#pool = pool;
    this.#session = pool.openSession();
    this.#header = header;
    this.#common = { header: serializeHoloTensorHeader(header), options: rest };
    this.#pacing = new Pacing(emit, () => this.#expected);
    if (reuseBuffer && rest.dtype !== 'source') this.#out = new Float32Array(elementCount(header.shape));
  }

  /** @throws as `HoloTensorDecoder` and its `addFragment`; WorkerError */
  async add({ index, data }: ReceivedFragment): Promise<void> {
    const { fragments, quality } = await this.#step(() => {
      // A copy of its own: the data is a view of a chunk, and the decoder keeps it.
      const copy = new Uint8Array(data);
      return { input: { ...this.#common, fragment: { index, data: copy } }, transfer: [copy.buffer] };
    });
    this.#added = fragments;
    this.#expected = expectedCosine(quality);
  }

  /** True when fragments have come since the last reconstruction. */
  get changed(): boolean {
    return this.#added > this.#taken;
  }

  /** Milliseconds until the next reconstruction is due; 0 now, infinity when more fragments must come first. */
  delay(now: number): number {
    return this.changed ? this.#pacing.delay(now) : Number.POSITIVE_INFINITY;
  }

  /** The tensor that all fragments so far allow. Only after at least one fragment. */
  async take(now: number): Promise<Reconstruction> {
    const out = this.#out;
    const { fragments, quality, reconstruction } = await this.#step((buffers) => {
      const target = out && new Float32Array(buffers.take(out.byteLength).buffer, 0, out.length);
      return {
        input: { ...this.#common, out: target },
        transfer: target === undefined ? [] : [target.buffer],
      };
    });
    this.#taken = fragments;
    this.#expected = expectedCosine(quality);
    this.#pacing.taken(now);
    const tensor = { ...reconstruction!, header: this.#header };
    if (out === undefined) return tensor;
    out.set(tensor.data as Float32Array);
    this.#pool.buffers.give([tensor.data.buffer]);
    return { ...tensor, data: out };
  }

  /** Ends what is under way; the worker forgets the tensor. */
  close(): void {
    this.#closed.abort();
    this.#session.close();
  }

  #step(
    prepare: (buffers: WorkerPool['buffers']) => Prepared<ReconstructStep>,
  ): Promise<ReconstructStepOutput> {
    return this.#session.runPrepared('reconstructStep', prepare, { signal: this.#closed.signal });
  }
}

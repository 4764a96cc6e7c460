import { encodeUnit } from '../encodeUnit.js';
import { joinModel } from '../joinModel.js';
import { type BullMq, ignored, type JoinQueue } from './connection.js';
import { failedJob, mayRecover } from './failedJob.js';
import { hostOf, waitForHost } from './hostRate.js';
import type { JobOutcome, JoinData, JoinOutcome, UnitData, UnitOutcome } from './jobs.js';
import type { ModelCache } from './modelCache.js';

type JobOf<Data, Result> = Parameters<
  ConstructorParameters<typeof import('bullmq').Worker<Data, Result>>[1]
>[0];

type OnJob = ((outcome: JobOutcome) => void) | undefined;

/** What a worker does with the jobs of both queues. */
export class JobRunner {
  readonly models: ModelCache;
  readonly #bullMq: BullMq;
  readonly #joins: JoinQueue;
  readonly #onJob: OnJob;
  readonly #stop = new AbortController();
  readonly #failure = new AbortController();

  constructor(bullMq: BullMq, joins: JoinQueue, models: ModelCache, onJob: OnJob) {
    this.#bullMq = bullMq;
    this.#joins = joins;
    this.models = models;
    this.#onJob = onJob;
  }

  /** Aborts with what `onJob` has thrown, which is no fault of a job. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  giveBack(): void {
    this.#stop.abort(new Error('the worker stops'));
  }

  readonly unit = async (job: JobOf<UnitData, UnitOutcome>, token?: string): Promise<UnitOutcome> => {
    const { id, unit: number, bytes } = job.data;
    const parent = await this.#joins.getJob(id);
    // Removed, with a model that was added again.
    if (parent === undefined) return { bytes, isNew: false };
    const { data } = parent;
    const { output } = data.model;
    await this.#waitForTurn(job, data, token);
    return this.#run(job, token, { output, unit: number, bytes }, async (signal) => {
      const isNew = await this.models.use(data, { signal }, async (model) => {
        return (await encodeUnit(model, model.units[number]!, { signal })).isNew;
      });
      this.#tell({ output, unit: number, state: isNew ? 'encoded' : 'found', bytes });
      return { bytes, isNew };
    });
  };

  readonly join = async (job: JobOf<JoinData, JoinOutcome>, token?: string): Promise<JoinOutcome> => {
    const { output } = job.data.model;
    return this.#run(job, token, { output, unit: undefined, bytes: job.data.bytes }, async (signal) => {
      let tenth = 0;
      const onProgress = (bytes: number, totalBytes: number) => {
        if (Math.floor((10 * bytes) / totalBytes) === tenth) return;
        tenth = Math.floor((10 * bytes) / totalBytes);
        job.updateProgress({ bytes, totalBytes }).catch(ignored);
      };
      const { fileSize, isNew } = await this.models.use(job.data, { signal }, (model) =>
        joinModel(model, model.units, new Map(), output, { signal, onProgress }),
      );
      this.#tell({ output, unit: undefined, state: isNew ? 'joined' : 'found', bytes: fileSize });
      return { fileSize, isNew };
    });
  };

  #tell(outcome: JobOutcome): void {
    try {
      this.#onJob?.(outcome);
    } catch (error) {
      this.#failure.abort(error);
    }
  }

  /** Puts a unit off until the host of its source is due. */
  async #waitForTurn(job: JobOf<UnitData, UnitOutcome>, data: JoinData, token: string | undefined) {
    const host = hostOf(data.model.sources[0] ?? '');
    if (data.hostRate === undefined || host === undefined || job.data.isDue) return;
    const wait = await waitForHost(this.#joins, host, job.data.bytes, data.hostRate);
    if (wait <= 0) return;
    await job.updateData({ ...job.data, isDue: true });
    await job.moveToDelayed(Date.now() + wait, token);
    const { DelayedError } = this.#bullMq;
    throw new DelayedError();
  }

  async #run<Data extends JoinData | UnitData, Result>(
    job: JobOf<Data, Result>,
    token: string | undefined,
    about: Pick<JobOutcome, 'output' | 'unit' | 'bytes'>,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { signal } = this.#stop;
    const { UnrecoverableError, WaitingError } = this.#bullMq;
    try {
      signal.throwIfAborted();
      return await work(signal);
    } catch (error) {
      if (signal.aborted) {
        this.#tell({ ...about, state: 'returned' });
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const isLast = !mayRecover(error) || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      this.#tell({ ...about, state: isLast ? 'failed' : 'retried', error });
      if (!isLast) throw error;
      const failed = failedJob(error);
      await job.updateData({ ...job.data, error: failed });
      throw new UnrecoverableError(failed.message);
    }
  }
}

import { planUnit } from '../divided/planUnit.js';
import { encodePart } from '../encodePart.js';
import { findNotedUnit } from '../findNotedUnit.js';
import { joinModel } from '../joinModel.js';
import { type BullMq, ignored, type JoinQueue, type UnitQueue } from './connection.js';
import { failedJob, mayRecover } from './failedJob.js';
import { hostOf, waitForHost } from './hostRate.js';
import {
  type JobOutcome,
  type JoinData,
  type JoinOutcome,
  optionsOfUnit,
  type UnitData,
  type UnitOutcome,
} from './jobs.js';
import type { ModelCache } from './modelCache.js';

type JobOf<Data, Result> = Parameters<
  ConstructorParameters<typeof import('bullmq').Worker<Data, Result>>[1]
>[0];

type About = Pick<JobOutcome, 'output' | 'unit' | 'range' | 'bytes'>;

type OnJob = ((outcome: JobOutcome) => void) | undefined;

/** What a worker does with the jobs of both queues. */
export class JobRunner {
  readonly models: ModelCache;
  readonly #bullMq: BullMq;
  readonly #joins: JoinQueue;
  readonly #units: UnitQueue;
  readonly #onJob: OnJob;
  readonly #stop = new AbortController();
  readonly #failure = new AbortController();
  #active = 0;

  constructor(bullMq: BullMq, joins: JoinQueue, units: UnitQueue, models: ModelCache, onJob: OnJob) {
    this.#bullMq = bullMq;
    this.#joins = joins;
    this.#units = units;
    this.models = models;
    this.#onJob = onJob;
  }

  /** Aborts with what `onJob` has thrown, which is no fault of a job. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  /** Whether no job is under way. */
  get areNone(): boolean {
    return this.#active === 0;
  }

  giveBack(): void {
    this.#stop.abort(new Error('the worker stops'));
  }

  readonly unit = (job: JobOf<UnitData, UnitOutcome>, token?: string): Promise<UnitOutcome> =>
    this.#counted(() => this.#unit(job, token));

  readonly join = (job: JobOf<JoinData, JoinOutcome>, token?: string): Promise<JoinOutcome> =>
    this.#counted(() => this.#join(job, token));

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#active++;
    try {
      return await work();
    } finally {
      this.#active--;
    }
  }

  async #unit(job: JobOf<UnitData, UnitOutcome>, token?: string): Promise<UnitOutcome> {
    const { key, unit: number, bytes } = job.data;
    const parent = await this.#joins.getJob(key);
    // Removed, with a model that was added again.
    if (parent === undefined) return { bytes, isNew: false };
    const { data } = parent;
    const { output } = data.model;
    await this.#waitForTurn(job, data, token);
    const about = { output, unit: number, range: job.data.range, bytes };
    const isPlanned = job.data.range === undefined && (await this.#divide(job, data, about, token));
    return this.#run(job, token, about, async (signal) => {
      const outcome = await this.models.use(data, { signal }, async (model) => {
        const unit = model.units[number]!;
        const range = job.data.range === undefined ? undefined : unit.ranges![job.data.range]!;
        const { isNew } = await encodePart(model)({ unit, range, byteLength: bytes }, { signal });
        return { bytes, isNew, units: range === undefined ? unit.ranges?.length : undefined };
      });
      // Of a tensor that was divided, its ranges have told.
      if (!isPlanned) this.#tell({ ...about, state: outcome.isNew ? 'encoded' : 'found' });
      return outcome;
    });
  }

  /**
   * Of a tensor that is divided: makes its plan, adds a job for each range, and waits for them.
   * @returns true once all are done; false for other units
   */
  async #divide(
    job: JobOf<UnitData, UnitOutcome>,
    data: JoinData,
    about: About,
    token: string | undefined,
  ): Promise<boolean> {
    const { key, unit: number, isDivided } = job.data;
    const ranges = await this.#run(job, token, about, (signal) =>
      this.models.use(data, { signal }, async (model) => {
        const unit = model.units[number]!;
        if (unit.ranges === undefined || (await findNotedUnit(model, unit, { signal })) !== undefined)
          return [];
        if (!isDivided) await planUnit(model, unit, { signal });
        return unit.ranges;
      }),
    );
    if (ranges.length === 0) return false;
    if (!isDivided) {
      const { attempts, backoff, priority } = job.opts;
      const parent = { id: job.id!, queue: job.queueQualifiedName };
      const children = ranges.map(({ number: range, byteLength }) => ({
        name: 'unit',
        data: { key, unit: number, range, bytes: byteLength } satisfies UnitData,
        opts: {
          ...optionsOfUnit({ attempts, backoff, priority }),
          jobId: `${key}-${number}-${range}`,
          parent,
        },
      }));
      await this.#units.addBulk(children);
      await job.updateData({ ...job.data, isDivided: true });
    }
    const { WaitingChildrenError } = this.#bullMq;
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    return true;
  }

  async #join(job: JobOf<JoinData, JoinOutcome>, token?: string): Promise<JoinOutcome> {
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
  }

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

  async #run<Data extends JoinData | UnitData, Outcome, Result>(
    job: JobOf<Data, Outcome>,
    token: string | undefined,
    about: About,
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

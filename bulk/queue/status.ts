import { ABORT_RULES, type AbortOptions } from '../../src/checks/abortOptions.js';
import { checkOptions, type Rules } from '../../src/checks/options.js';
import { briefConnectionOf, loadBullMq, openJoins, openUnits, reached } from './connection.js';
import {
  type FailedJob,
  type JoinData,
  type JoinOutcome,
  REDIS_RULES,
  type RedisOption,
  type UnitData,
  type UnitOutcome,
} from './jobs.js';

export interface StatusOptions extends RedisOption, AbortOptions {}

/** What is done, waits and has failed in a queue. */
export interface BulkStatus {
  readonly models: readonly ModelStatus[];
  /** Units by their state. */
  readonly units: Readonly<Record<string, number>>;
  /** Units and joins that failed for good. */
  readonly failed: readonly FailedUnit[];
}

/** How far one model of a queue is. */
export interface ModelStatus {
  readonly output: string;
  readonly state: 'encoding' | 'joining' | 'done' | 'failed';
  readonly units: number;
  readonly encodedUnits: number;
  readonly bytes: number;
  readonly encodedBytes: number;
  /** Of the model file, once it is complete. */
  readonly fileSize: number | undefined;
}

/** A unit or join that failed for good, and its last error. */
export interface FailedUnit {
  readonly output: string | undefined;
  /** Undefined for a join. */
  readonly unit: number | undefined;
  readonly attempts: number;
  readonly error: FailedJob;
}

const RULES: Rules<StatusOptions> = { ...REDIS_RULES, ...ABORT_RULES };

/** States of jobs that are not done, nor failed for good. */
export const UNFINISHED = ['waiting', 'prioritized', 'delayed', 'active', 'waiting-children'];
const STATES = [...UNFINISHED, 'completed', 'failed'];
/** Jobs of one request to Redis. */
const PAGE = 1000;

/**
 * How far the models of the queue are.
 *
 * @example
 * const { models, failed } = await bulkStatus({ redis: 'redis://queue:6379' });
 * for (const { output, encodedUnits, units } of models) console.log(output, encodedUnits / units);
 * for (const { output, error } of failed) console.error(output, error.message);
 *
 * @throws UnsupportedError without the packages `bullmq` and `ioredis`; SourceError when Redis cannot be reached
 */
export async function bulkStatus(options: StatusOptions = {}): Promise<BulkStatus> {
  const { signal } = checkOptions(options, RULES);
  const bullMq = await loadBullMq();
  const connection = briefConnectionOf(options);
  const joins = openJoins(bullMq, connection);
  const units = openUnits(bullMq, connection);
  try {
    await reached(joins, connection);
    const models: ModelStatus[] = [];
    const failed: FailedUnit[] = [];
    const failedJoins: JobOf<JoinData, JoinOutcome>[] = [];
    const outputs = new Map<string, string>();
    for await (const [state, job] of jobsOf(joins, STATES)) {
      signal?.throwIfAborted();
      outputs.set(job.data.key, job.data.model.output);
      models.push(await statusOf(job, state));
      if (state === 'failed') failedJoins.push(job);
    }
    const withFailedUnits = new Set<string>();
    for await (const [, job] of jobsOf(units, ['failed'])) {
      signal?.throwIfAborted();
      withFailedUnits.add(job.data.key);
      // Of a tensor that was divided, the range that failed says why.
      if (job.data.isDivided && job.data.error === undefined) continue;
      failed.push(failure(job, outputs.get(job.data.key), job.data.unit));
    }
    for (const job of failedJoins) {
      // Where a unit is the reason, that says it.
      if (!withFailedUnits.has(job.data.key)) failed.push(failure(job, job.data.model.output, undefined));
    }
    return { models, units: await units.getJobCounts(...UNFINISHED, 'failed'), failed };
  } finally {
    await Promise.all([joins.close(), units.close()]);
  }
}

type JobOf<Data, Result> = NonNullable<
  Awaited<ReturnType<InstanceType<typeof import('bullmq').Queue<Data, Result>>['getJob']>>
>;

async function* jobsOf<Data, Result>(
  queue: InstanceType<typeof import('bullmq').Queue<Data, Result>>,
  states: readonly string[],
): AsyncGenerator<readonly [string, JobOf<Data, Result>]> {
  for (const state of states) {
    for (let start = 0, more = true; more; start += PAGE) {
      const jobs = await queue.getJobs([state], start, start + PAGE - 1);
      // One that was removed meanwhile has gone.
      for (const job of jobs) if (job) yield [state, job];
      more = jobs.length === PAGE;
    }
  }
}

async function statusOf(job: JobOf<JoinData, JoinOutcome>, state: string): Promise<ModelStatus> {
  const { model, units, bytes } = job.data;
  const base = { output: model.output, units, bytes };
  if (state === 'completed') {
    const { fileSize } = job.returnvalue ?? {};
    return { ...base, state: 'done', encodedUnits: units, encodedBytes: bytes, fileSize };
  }
  const done = await encodedOf(job);
  const waiting = state === 'waiting-children' ? 'encoding' : 'joining';
  return { ...base, state: state === 'failed' ? 'failed' : waiting, ...done, fileSize: undefined };
}

async function encodedOf(job: JobOf<JoinData, JoinOutcome>) {
  let encodedUnits = 0;
  let encodedBytes = 0;
  let cursor = 0;
  do {
    const { processed = {}, nextProcessedCursor = 0 } = await job.getDependencies({
      processed: { cursor, count: PAGE },
    });
    for (const value of Object.values(processed)) {
      const { bytes = 0, units = 1 } = (value ?? {}) as Partial<UnitOutcome>;
      encodedUnits += units;
      encodedBytes += bytes;
    }
    cursor = nextProcessedCursor;
  } while (cursor !== 0);
  return { encodedUnits, encodedBytes };
}

function failure(
  job: JobOf<JoinData, JoinOutcome> | JobOf<UnitData, UnitOutcome>,
  output: string | undefined,
  unit: number | undefined,
): FailedUnit {
  const { error = { name: 'Error', message: job.failedReason ?? '', fields: {} } } = job.data;
  return { output, unit, attempts: job.attemptsMade, error };
}

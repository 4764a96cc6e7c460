import { onAbort } from '../../platform/abort.js';
import { ABORT_RULES, type AbortOptions } from '../../src/checks/abortOptions.js';
import { callback, checkOptions, flag, number, type Rules, wholeNumber } from '../../src/checks/options.js';
import type { SourceError } from '../../src/errors.js';
import type { WorkersOption } from '../../workers/pool.js';
import { WORKERS } from '../../workers/task.js';
import { loadTools } from '../convert.js';
import {
  type BullMq,
  ignored,
  lastingConnectionOf,
  loadBullMq,
  openJoins,
  openUnits,
  unreachable,
} from './connection.js';
import { JobRunner } from './jobRunner.js';
import {
  JOINS,
  type JobOutcome,
  type JoinData,
  type JoinOutcome,
  REDIS_RULES,
  type RedisOption,
  UNITS,
  type UnitData,
  type UnitOutcome,
} from './jobs.js';
import { ModelCache } from './modelCache.js';
import { UNFINISHED } from './status.js';

export interface WorkOptions extends RedisOption, WorkersOption, AbortOptions {
  /** Units that are encoded at a time, each with the memory of its tensors. Default 2: one is read while another is encoded. */
  readonly concurrency?: number | undefined;
  /** Return when no job is left. Default: work until the signal aborts. */
  readonly drain?: boolean | undefined;
  /**
   * How long jobs under way may go on once the signal has aborted, in milliseconds; then they are given back. Default 20,000:
   * Kubernetes kills after 30 seconds.
   */
  readonly grace?: number | undefined;
  /** How long a worker may be silent before others take its jobs over, in milliseconds. Default 60,000. */
  readonly stalled?: number | undefined;
  /** Called when Redis cannot be reached, at the start or after a job: the worker waits for it. */
  readonly onUnreachable?: ((error: SourceError) => void) | undefined;
  /** Called with the outcome of each job. An error that it throws ends the work, as an abort does, and is thrown then. */
  readonly onJob?: ((outcome: JobOutcome) => void) | undefined;
}

const RULES: Rules<WorkOptions> = {
  ...REDIS_RULES,
  ...ABORT_RULES,
  workers: WORKERS,
  concurrency: wholeNumber(1),
  drain: flag,
  grace: number(0),
  stalled: number(1000),
  onUnreachable: callback,
  onJob: callback,
};

const GRACE_MS = 20_000;
const STALLED_MS = 60_000;
const POLL_MS = 500;
/** How often a job may lose its worker: machines that are taken away at any time are no fault of the job. */
const MAX_STALLED = 20;

/**
 * Works on the jobs of the queue until the signal aborts, which ends it without an error: jobs under way are finished, or given
 * back. What fails is tried again, later; what cannot succeed stays with its error, for `bulkStatus`.
 *
 * @example
 * await workBulk({ redis: 'redis://queue:6379', concurrency: 2, signal: AbortSignal.timeout(3_600_000) });
 *
 * @throws UnsupportedError without the packages `bullmq` and `ioredis`
 */
export async function workBulk(options: WorkOptions = {}): Promise<void> {
  const {
    concurrency = 2,
    drain = false,
    grace = GRACE_MS,
    stalled = STALLED_MS,
    signal,
    onUnreachable,
  } = checkOptions(options, RULES);
  if (signal?.aborted) return;
  let isLeaving = false;
  const connection = lastingConnectionOf(options, () => !isLeaving);
  const [bullMq, tools] = await Promise.all([loadBullMq(), loadTools(options)]);
  const settings = {
    connection,
    lockDuration: stalled,
    stalledInterval: stalled / 2,
    maxStalledCount: MAX_STALLED,
  };
  const joins = openJoins(bullMq, connection);
  const unitQueue = openUnits(bullMq, connection);
  const jobs = new JobRunner(bullMq, joins, unitQueue, new ModelCache(tools), options.onJob);
  const encoder = new bullMq.Worker<UnitData, UnitOutcome>(UNITS, jobs.unit, { ...settings, concurrency });
  const joiner = new bullMq.Worker<JoinData, JoinOutcome>(JOINS, jobs.join, { ...settings, concurrency: 1 });
  let isReached = true;
  encoder.on('active', () => {
    isReached = true;
  });
  encoder.on('error', (error) => {
    // Other errors are none of the connection.
    if (!isReached || (error as NodeJS.ErrnoException).syscall !== 'connect') return;
    isReached = false;
    onUnreachable?.(unreachable(connection.url, error));
  });
  const workers = [encoder, joiner.on('error', ignored)];
  let release: (() => void) | undefined;
  try {
    const ended = new Promise<void>((resolve) => {
      // While the packages were loaded.
      if (signal?.aborted) resolve();
      else release = signal && onAbort(signal, () => resolve());
      onAbort(jobs.failed, () => resolve());
    });
    const isStopped = () => signal?.aborted || jobs.failed.aborted;
    await (drain ? Promise.race([ended, drained([joins, unitQueue], joiner, isStopped)]) : ended);
  } finally {
    release?.();
    // Without a job to note, nothing is left to say to a Redis that may never come back.
    isLeaving = !isReached && jobs.areNone;
    const patience = setTimeout(() => {
      isLeaving = !isReached;
      jobs.giveBack();
    }, grace);
    // Else they wait for a connection to close it.
    const isLost = isLeaving;
    await Promise.all(workers.map((worker) => worker.close(isLost)));
    clearTimeout(patience);
    for (const queue of [joins, unitQueue]) {
      if (isLost) queue.disconnect().catch(ignored);
      else await queue.close();
    }
    await jobs.models.close();
  }
  jobs.failed.throwIfAborted();
}

/** Looks after each join of this worker, because units are not the last job, and now and then: others may do the last one. */
async function drained(
  queues: readonly InstanceType<BullMq['Queue']>[],
  joins: { on(event: 'completed', heard: () => void): unknown },
  isStopped: () => boolean | undefined,
): Promise<void> {
  let look = () => {};
  joins.on('completed', () => look());
  while (!isStopped() && !(await isDrained(queues))) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      look = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether no job is left that a worker could do. */
async function isDrained(queues: readonly InstanceType<BullMq['Queue']>[]): Promise<boolean> {
  const counts = await Promise.all(queues.map((queue) => queue.getJobCounts(...UNFINISHED)));
  return counts.every((states) => Object.values(states).every((count) => count === 0));
}

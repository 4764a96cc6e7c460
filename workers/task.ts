/** The tasks of a pool and their inputs. */

import type { TaskResult } from '../src/bytes/sharedMemory.js';
import { having, type Rule, wholeNumber } from '../src/checks/options.js';
import type { Buffers } from './buffers.js';

/**
 * A piece of work for another thread: input and output pass through the structured clone algorithm, so they are plain
 * data. Long tasks check `signal` after letting messages in (`nextTask`). The tasks of one session share `state`.
 */
export type Task<I, O, S> = (input: I, signal: AbortSignal, state: Partial<S>) => Promise<TaskResult<O>>;

/** The tasks of a pool's workers, by name: `worker.ts` has the table of this package. */
export type TaskTable = Readonly<Record<string, Task<never, unknown, never>>>;

export type TaskName<T extends TaskTable> = keyof T & string;
export type TaskInput<T extends TaskTable, N extends TaskName<T>> = Parameters<T[N]>[0];
export type TaskOutput<T extends TaskTable, N extends TaskName<T>> = Awaited<ReturnType<T[N]>>['output'];

export interface RunOptions {
  /** Buffers of the input that are transferred to the worker, not copied: they are empty afterwards. */
  readonly transfer?: readonly ArrayBufferLike[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The input of a task, made when a worker has room for it. Shared memory is never transferred. */
export interface Prepared<I> {
  readonly input: I;
  /** Buffers of the input that are transferred to the worker, and may come back as its output. */
  readonly transfer?: readonly ArrayBufferLike[] | undefined;
  /** Buffers of the pool that hold input: it gets them back when the task is done. */
  readonly borrowed?: readonly ArrayBufferLike[] | undefined;
  /** Called when the worker has finished with the input, even if its response is no longer wanted. */
  readonly done?: (() => void) | undefined;
}

/** Makes the input of a task in buffers of the pool. */
export type Prepare<I> = (buffers: Buffers) => Prepared<I>;

/** See `TaskPool.openSession`. When its worker dies, what it kept is lost, and all further tasks fail. */
export interface TaskSession<T extends TaskTable> {
  runPrepared<N extends TaskName<T>>(
    task: N,
    prepare: Prepare<TaskInput<T, N>>,
    options?: Pick<RunOptions, 'signal'>,
  ): Promise<TaskOutput<T, N>>;
  /** Its worker has died, or the pool has been closed. */
  readonly isLost: boolean;
  close(): void;
}

/**
 * Fewer bytes than these take less time in the calling thread than in a worker, because of the messages. Decompression
 * makes gigabytes per second, reconstruction from fragments a tenth of that, encoding a hundredth.
 */
export const MIN_WORKER_BYTES = {
  decompression: 2 ** 22,
  reconstruction: 2 ** 18,
  encoding: 2 ** 16,
} as const;

/** Most threads of a pool: more than any processor runs at a time. */
export const MAX_THREADS = 1024;

/** Of options named `workers`. A pool is told by its method, because most pages load no pool. */
export const WORKERS: Rule<number | { readonly runPrepared: unknown }> = (workers) =>
  wholeNumber(0, MAX_THREADS)(workers) &&
  having<{ readonly runPrepared: unknown }>(
    'runPrepared',
    `0 to ${MAX_THREADS} threads, or a WorkerPool`,
  )(workers);

import type { Buffers } from './buffers.js';
import type { TaskInput, TaskName, TaskOutput } from './tasks.js';

export interface RunOptions {
  /** Buffers of the input that go to the worker rather than being copied: they are empty afterwards. */
  readonly transfer?: readonly ArrayBufferLike[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The input of a task, made when a worker has room for it. Shared memory is never transferred. */
export interface Prepared<I> {
  readonly input: I;
  /** Buffers of the input that go to the worker for good, or come back as its output. */
  readonly transfer?: readonly ArrayBufferLike[] | undefined;
  /** Buffers of the pool that hold input: it has them again when the task is done. */
  readonly borrowed?: readonly ArrayBufferLike[] | undefined;
  /** Called when the worker has done with the input, even if nobody waits for its answer any more. */
  readonly done?: (() => void) | undefined;
}

/** A task of a pool, waiting or under way. */
export interface Job {
  readonly id: number;
  readonly task: TaskName;
  readonly prepare: (buffers: Buffers) => Prepared<unknown>;
  readonly done?: Prepared<unknown>['done'];
  readonly settle: (outcome: { readonly output: unknown } | { readonly error: unknown }) => void;
}

/** See `WorkerPool.openSession`. When its worker dies, what it kept is lost, and all further tasks fail. */
export interface WorkerSession {
  runPrepared<T extends TaskName>(
    task: T,
    prepare: (buffers: Buffers) => Prepared<TaskInput<T>>,
    options?: Pick<RunOptions, 'signal'>,
  ): Promise<TaskOutput<T>>;
  close(): void;
}

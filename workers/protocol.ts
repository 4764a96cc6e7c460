import type { PackedError } from './packedError.js';
import type { TaskName } from './tasks.js';

/**
 * The first thing that a worker says, when it is ready for tasks. The number changes with the messages: a script of
 * another version of the package says another one.
 */
export const READY = 'holostream worker 1';

/** What a pool tells a worker: a task, or that nobody wants one, or the tasks of a session, any more. */
export type WorkerRequest = WorkerTask | { readonly cancel: number } | { readonly forget: number };

export interface WorkerTask {
  readonly id: number;
  readonly task: TaskName;
  readonly input: unknown;
  /** Tasks with the same number share what they keep. */
  readonly session: number | undefined;
  /** Buffers of the input that come back with the answer. */
  readonly borrowed: readonly ArrayBufferLike[];
}

/** What a worker answers, once for every task, cancelled or not. */
export type WorkerReply = WorkerResult & {
  readonly id: number;
  readonly borrowed: readonly ArrayBufferLike[];
};

type WorkerResult = { readonly output: unknown } | { readonly error: PackedError };

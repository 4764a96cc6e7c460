import type { PackedError } from './packedError.js';
import type { TaskName } from './tasks.js';

/** What a pool tells a worker: a task, or that nobody wants one any more. */
export type WorkerRequest =
  | { readonly id: number; readonly task: TaskName; readonly input: unknown }
  | { readonly cancel: number };

/** What a worker answers, once for every task, cancelled or not. */
export type WorkerReply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: PackedError };

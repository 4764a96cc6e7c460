import type { TaskSession } from './task.js';
import { TaskPool } from './taskPool.js';
import type { Tasks } from './worker.js';

/** Worker threads that decode and encode, for all options named `workers`. */
export class WorkerPool extends TaskPool<Tasks> {}

export type WorkerSession = TaskSession<Tasks>;

/** The option of everything that can use workers. */
export interface WorkersOption {
  /**
   * Threads that do the work, or a pool of them. Default 0: the calling thread. It always does work that is too small
   * to gain from workers.
   */
  readonly workers?: number | WorkerPool | undefined;
}

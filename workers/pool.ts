import type { TaskSession } from './task.js';
import { TaskPool } from './taskPool.js';
import type { Tasks } from './worker.js';

/** Worker threads that decode: what all options named `workers` take. */
export class WorkerPool extends TaskPool<Tasks> {}

export type WorkerSession = TaskSession<Tasks>;

/** Takes part in the options of whatever can use workers. */
export interface WorkersOption {
  /**
   * Threads that decode, or a pool of them. Default 0: the calling thread does it all. Work that is too small to gain
   * anything is done there in any case.
   */
  readonly workers?: number | WorkerPool | undefined;
}

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

/**
 * Fewer bytes than these are decoded sooner by the calling thread than by a worker, which has to be sent them and to
 * send them back. Decompression makes gigabytes a second, a reconstruction from fragments a tenth of that.
 */
export const MIN_WORKER_BYTES = { decompression: 2 ** 22, reconstruction: 2 ** 18 } as const;

const shared = new Map<number, WorkerPool>();

/** The pool that an option means: callers who name the same number share one. */
export function poolOf(workers: number | WorkerPool | undefined): WorkerPool | undefined {
  if (workers === undefined || workers === 0) return undefined;
  if (workers instanceof WorkerPool) return workers;
  let pool = shared.get(workers);
  if (pool === undefined) {
    pool = new WorkerPool(workers);
    shared.set(workers, pool);
  }
  return pool;
}

import type { WorkerPool } from './pool.js';
import { TaskPool } from './taskPool.js';
import type { Tasks } from './worker.js';

const shared = new Map<number, WorkerPool>();

/**
 * The pool of an option; callers with the same number of threads share one. It is separate from the class that the main
 * entry exports, because bundlers put everything that this names into every page, and most pages decode without
 * workers.
 */
export function sharedPool(workers: number | WorkerPool): WorkerPool {
  if (typeof workers === 'object') return workers;
  let pool = shared.get(workers);
  if (pool === undefined) {
    pool = new TaskPool<Tasks>(workers);
    shared.set(workers, pool);
  }
  return pool;
}

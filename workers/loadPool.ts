import type { WorkerPool } from './pool.js';

/** The pool of an option, if it asks for one. Loaded on demand, because most pages do without workers. */
export async function loadPool(workers: number | WorkerPool | undefined): Promise<WorkerPool | undefined> {
  if (!workers) return undefined;
  const { sharedPool } = await import('./sharedPool.js');
  return sharedPool(workers);
}

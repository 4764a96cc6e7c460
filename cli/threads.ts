import { availableParallelism, totalmem } from 'node:os';

/** The option of commands that encode or decode model files. */
export interface WorkersChoice {
  readonly workers?: number | undefined;
}

/** Fewer bytes are done before threads have started. */
const MIN_BYTES = 2 ** 24;

/** What a thread may need, with several copies of a tensor of some hundred megabytes. */
const THREAD_BYTES = 2e9;

/**
 * Threads for a model of this size. By default one per core but one, for the thread that reads, writes and verifies; two if there
 * are only two, because that takes a tenth of the time.
 */
export function threadsFor(chosen: number | undefined, totalBytes: number): number {
  if (chosen !== undefined) return chosen;
  if (totalBytes < MIN_BYTES) return 0;
  const cores = availableParallelism();
  const byCores = Math.min(cores, Math.max(2, cores - 1));
  return Math.min(byCores, Math.floor(totalmem() / THREAD_BYTES));
}

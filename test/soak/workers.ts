import { WorkerError } from '../../src/errors.js';
import { WorkerPool } from '../../workers/pool.js';
import type { Random } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import type { Network } from './networks.js';
import type { Stage } from './stage.js';

/** Threads of the pool that all callers with this number share. */
export const SHARED_THREADS = 2;

/** Longer than most loads take. */
const LONGEST_MS = 60;

/** Who decodes for a job. */
export interface JobWorkers {
  readonly workers: number | WorkerPool;
  readonly errors?: Network['errors'];
  /** Ends what is the job's own. */
  readonly end?: () => void | Promise<void>;
}

export const WORKERS = {
  none: () => ({ workers: 0 }),
  shared: () => ({ workers: SHARED_THREADS }),
  pool: ({ pool }) => ({ workers: pool }),
  own() {
    const pool = new WorkerPool(1);
    return { workers: pool, end: () => pool.close() };
  },
  'own, closed meanwhile'(_, random) {
    const pool = new WorkerPool(1);
    const closed = tick(random.below(LONGEST_MS)).then(() => pool.close());
    return { workers: pool, errors: [WorkerError], end: () => closed };
  },
} as const satisfies Readonly<Record<string, (stage: Stage, random: Random) => JobWorkers>>;

export const WORKER_NAMES = Object.keys(WORKERS) as (keyof typeof WORKERS)[];

import type { LoadOptions } from '../../models/load.js';
import { WorkerPool } from '../../workers/pool.js';
import { Random } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import { chooseOpening, type OpenedModel, type Opening } from './opening.js';
import type { Job, Outcome, Stage } from './stage.js';
import { VISITS } from './visits.js';

/** Threads of the pool that all callers with this number share. */
export const SHARED_THREADS = 2;

/** A model that is opened, visited and closed. */
export function modelJob(stage: Stage, seed: number): Job {
  const random = new Random(seed);
  const stored = random.pick(stage.models);
  const opening = chooseOpening(stage, stored, random);
  // Tensors in fragments have no rows before they are loaded.
  const hasRows = !stored.progressive && !opening.verified;
  const visit = random.pick(Object.keys(VISITS));
  const workers = random.pick(['none', 'none', 'shared', 'pool', 'own'] as const);
  const as = random.pick(['F32', 'source'] as const);
  const output = random.pick(['in-place', 'swap'] as const);
  const abortsAfter = random.once(10) ? random.below(20) : undefined;
  return {
    name: `${stored.path} (${opening.name}): ${visit}, workers ${workers}${abortsAfter === undefined ? '' : `, opening aborted after ${abortsAfter} ms`}`,
    async run() {
      // A pool of its own; threads start when they are needed.
      const own = workers === 'own' ? new WorkerPool(1) : undefined;
      const pools = { none: 0, shared: SHARED_THREADS, pool: stage.pool, own };
      const options: LoadOptions = { as, output, workers: pools[workers] };
      try {
        const opened = await open(opening, abortsAfter);
        if (opened === undefined) return 'aborted';
        try {
          return await VISITS[visit]!({ model: opened.model, stored, hasRows, options, random });
        } finally {
          await opened.close();
        }
      } catch (error) {
        return expected(error, opening);
      } finally {
        own?.close();
      }
    },
  };
}

/** @returns undefined where it was aborted meanwhile */
async function open(opening: Opening, abortsAfter: number | undefined): Promise<OpenedModel | undefined> {
  if (abortsAfter === undefined) return opening.open({});
  const abort = new AbortController();
  const reason = new Error('aborted while it opens');
  const aborted = tick(abortsAfter).then(() => abort.abort(reason));
  try {
    return await opening.open({ signal: abort.signal });
  } catch (error) {
    if (error === reason) return undefined;
    throw error;
  } finally {
    await aborted;
  }
}

/** @throws any other error */
function expected(error: unknown, { errors }: Opening): Outcome {
  if (errors.some((kind) => error instanceof kind)) return (error as Error).name;
  throw error;
}

import type { LoadOptions } from '../../models/load.js';
import { Random } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import { chooseOpening, type OpenedModel, type Opening } from './opening.js';
import type { Job, Stage } from './stage.js';
import { VISITS } from './visits.js';
import { type JobWorkers, WORKER_NAMES, WORKERS } from './workers.js';

/** A model that is opened, visited and closed. */
export function modelJob(stage: Stage, seed: number): Job {
  const random = new Random(seed);
  const stored = random.pick(stage.models);
  const opening = chooseOpening(stage, stored, random);
  // Tensors in fragments have no rows before they are loaded.
  const hasRows = !stored.progressive && !opening.loadsFirst;
  const visit = random.pick(Object.keys(VISITS));
  const decoder = random.pick(['none', ...WORKER_NAMES] as const);
  const as = random.pick(['F32', 'source'] as const);
  const abortsAfter = random.once(10) ? random.below(20) : undefined;
  const aborted = abortsAfter === undefined ? '' : `, opening aborted after ${abortsAfter} ms`;
  return {
    name: `${stored.path} (${opening.name}): ${visit}, workers ${decoder}${aborted}`,
    async run() {
      const { workers, errors = [], end }: JobWorkers = WORKERS[decoder](stage, random);
      const options: LoadOptions = { as, workers };
      try {
        const opened = await open(opening, abortsAfter);
        if (opened === undefined) return 'aborted';
        try {
          return await VISITS[visit]!({ model: opened.model, stored, hasRows, options, random });
        } finally {
          await opened.close();
        }
      } catch (error) {
        if ([...opening.errors, ...errors].some((kind) => error instanceof kind))
          return (error as Error).name;
        throw error;
      } finally {
        await end?.();
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

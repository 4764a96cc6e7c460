import type { Random } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import type { Job } from './stage.js';

/** Longer than most jobs take. */
const LONGEST_MS = 200;

/** Work that takes a signal, which aborts at a random moment, or never. */
export function abortedJob(
  name: string,
  random: Random,
  work: (signal: AbortSignal) => Promise<unknown>,
): Job {
  const after = random.once(3) ? undefined : random.below(LONGEST_MS);
  return {
    name: after === undefined ? name : `${name}, aborted after ${after} ms`,
    async run() {
      const abort = new AbortController();
      const reason = new Error('aborted while it works');
      const aborting = after === undefined ? undefined : tick(after).then(() => abort.abort(reason));
      const [outcome] = await Promise.allSettled([work(abort.signal)]);
      await aborting;
      if (outcome.status === 'fulfilled') return 'exact';
      if (outcome.reason === reason) return 'aborted';
      throw outcome.reason;
    },
  };
}

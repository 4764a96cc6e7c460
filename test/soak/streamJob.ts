import * as assert from 'uvu/assert';
import { abortJobs } from '../faults/helpers/abortJobs.js';
import { GivenStreams } from '../faults/helpers/givenStreams.js';
import { Random } from '../helpers/random.js';
import { until } from '../helpers/streams.js';
import { abortedJob } from './abortedJob.js';
import type { NetworkName } from './networks.js';
import type { Job, Stage } from './stage.js';

/** Jobs without retries of their own succeed on these. */
const SOUND: readonly NetworkName[] = ['steady', 'slow', 'withoutRanges', 'chunked'];

/** Whatever else takes a signal, as `npm run faults` has it: readers, streams, operators, sources. */
export function streamJob(stage: Stage, seed: number): Job {
  const random = new Random(seed);
  const network = random.pick(SOUND);
  const server = {
    url: stage.server.urlOf(network, random.uint32()),
    files: stage.files as Map<string, Uint8Array>,
    before: async () => undefined,
  };
  const streams = new GivenStreams();
  const { name, run } = random.pick(abortJobs(server, stage.pool, streams));
  const job = abortedJob(`${name} (${network})`, random, run);
  return {
    name: job.name,
    async run() {
      const outcome = await job.run();
      // The first part of a pipe may end after the last.
      await until(() => streams.left().length === 0);
      assert.equal(streams.left(), []);
      return outcome;
    },
  };
}

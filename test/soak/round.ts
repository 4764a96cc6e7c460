import { fileJob, type Replacement } from './fileJob.js';
import { modelJob } from './modelJob.js';
import type { Job, Stage } from './stage.js';
import { streamJob } from './streamJob.js';

/** How many jobs of each kind a round has. */
export interface RoundSize {
  readonly models: number;
  readonly streams: number;
  readonly files: number;
}

export const USUAL_SIZE: RoundSize = { models: 50, streams: 8, files: 4 };

/** The jobs of a round, which run at the same time. The same seed gives the same. */
export function jobsOf(
  stage: Stage,
  replacements: readonly Replacement[],
  { models, streams, files }: RoundSize,
  seedOf: (job: number) => number,
): Job[] {
  const jobs: Job[] = [];
  const add = (count: number, make: (seed: number, i: number) => Job) => {
    for (let i = 0; i < count; i++) jobs.push(make(seedOf(jobs.length), i));
  };
  add(models, (seed) => modelJob(stage, seed));
  add(streams, (seed) => streamJob(stage, seed));
  // Each replaces something else.
  const first = seedOf(jobs.length);
  add(files, (seed, i) => fileJob(replacements[(first + i) % replacements.length]!, seed));
  return jobs;
}

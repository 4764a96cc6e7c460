import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type FileJob, fileJobs } from '../faults/helpers/fileJobs.js';
import { Target } from '../faults/helpers/target.js';
import { Random } from '../helpers/random.js';
import { abortedJob } from './abortedJob.js';
import type { Job } from './stage.js';

/** Work that replaces a file or folder, as `npm run faults` has it: encoding, decoding, compressing. */
export interface Replacement {
  readonly job: FileJob;
  readonly target: Target;
}

/** @param folder new; made here */
export async function replacements(folder: string): Promise<readonly Replacement[]> {
  mkdirSync(join(folder, 'inputs'), { recursive: true });
  const found: Replacement[] = [];
  for (const job of await fileJobs(join(folder, 'inputs'))) {
    if (job.prepare !== undefined || job.neverFails) continue;
    const target = new Target(join(folder, job.name.replace(/\W/g, '-')), job.target);
    for (const version of ['old', 'new'] as const) {
      target.reset(version === 'new' && !job.onlyNew ? 'old' : 'nothing');
      await job.run(version, target.path);
      target.learn(version);
    }
    target.reset(job.onlyNew ? 'nothing' : 'old');
    found.push({ job, target });
  }
  return found;
}

/** The target is new afterwards, or as it was, and nothing is beside it. */
export function fileJob({ job, target }: Replacement, seed: number): Job {
  return abortedJob(job.name, new Random(seed), async (signal) => {
    const before = job.onlyNew ? 'nothing' : 'old';
    target.reset(before);
    try {
      await job.run('new', target.path, { signal });
      assert.is(target.version(), 'new');
    } finally {
      assert.ok(target.version() !== undefined || job.onlyNew, 'the target is lost');
      assert.equal(target.leftovers(), []);
      target.reset(before);
    }
  });
}

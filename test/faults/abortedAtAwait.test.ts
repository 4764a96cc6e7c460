import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkerPool } from '../../workers/pool.js';
import { temporaryFolder } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { openFiles } from '../helpers/openFiles.js';
import { until } from '../helpers/streams.js';
import { abortAt } from './helpers/abortAt.js';
import { type AbortJob, abortJobs } from './helpers/abortJobs.js';
import { chosen } from './helpers/chosen.js';
import { fileJobs } from './helpers/fileJobs.js';
import { GivenStreams } from './helpers/givenStreams.js';
import { Resources } from './helpers/resources.js';
import { servedFiles } from './helpers/servedFiles.js';
import { Target } from './helpers/target.js';

/** Of longer jobs, this many moments are tried, at the same distance; fewer with workers, which take large tensors. */
const MOST_MOMENTS = 400;
const MOST_WITH_WORKERS = 80;

const test = suite('aborted at the n-th await');

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('warning', (warning) => unhandled.push(warning));

const folder = temporaryFolder();
const server = await fileServer(await servedFiles());
const pool = new WorkerPool(2, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
const streams = new GivenStreams();
test.after(async () => {
  pool.close();
  await server[Symbol.asyncDispose]();
});

const jobs = [...abortJobs(server, pool, streams)];
mkdirSync(join(folder, 'inputs'));
for (const job of await fileJobs(join(folder, 'inputs'))) {
  if (job.prepare !== undefined || job.neverFails) continue;
  const target = new Target(join(folder, job.name), job.target);
  await job.run('old', target.path);
  target.learn('old');
  target.reset(job.onlyNew ? 'nothing' : 'old');
  await job.run('new', target.path);
  target.learn('new');
  jobs.push({
    name: job.name,
    async run(signal) {
      target.reset(job.onlyNew ? 'nothing' : 'old');
      try {
        await job.run('new', target.path, { signal });
        assert.is(target.version(), 'new');
      } finally {
        assert.equal(target.leftovers(), []);
        assert.ok(target.version() !== undefined || job.onlyNew);
      }
    },
  });
}

for (const job of jobs) {
  // The first time, modules are loaded; then, as often as it varies.
  await abortAt(Infinity, (signal) => job.run(signal));
  const { awaits, outcome } = await abortAt(Infinity, (signal) => job.run(signal));
  if (outcome.status === 'rejected') throw outcome.reason;
  const most = job.name.endsWith(', workers') ? MOST_WITH_WORKERS : MOST_MOMENTS;
  const step = Math.max(1, Math.ceil(awaits / most));
  const moments = Array.from({ length: Math.ceil(awaits / step) }, (_, i) => i * step);
  const resources = new Resources();
  for (const n of chosen(moments)) test(`${job.name}: ${n} of ${awaits}`, () => check(job, n, resources));
}

async function check(job: AbortJob, n: number, resources: Resources): Promise<void> {
  streams.forget();
  const { outcome, reason, signal } = await abortAt(n, (signal) => job.run(signal));
  if (outcome.status === 'rejected') {
    if (outcome.reason !== reason) throw outcome.reason;
    assert.ok(signal.aborted);
  }
  await until(() => server.active === 0);
  assert.is(server.active, 0, 'requests left open');
  assert.equal(await resources.left(() => server.closeIdle()), []);
  await until(() => openFiles(folder) === 0);
  assert.is(openFiles(folder), 0, 'files left open');
  // The first part of a pipe may end after the last.
  await until(() => streams.left().length === 0);
  assert.equal(streams.left(), []);
  assert.equal(unhandled.splice(0), []);
}

test.run();

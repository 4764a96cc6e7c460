import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkerError } from '../../src/errors.js';
import { WorkerPool } from '../../workers/pool.js';
import { temporaryFolder } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { until } from '../helpers/streams.js';
import { abortJobs } from './helpers/abortJobs.js';
import { chosen } from './helpers/chosen.js';
import { GivenStreams } from './helpers/givenStreams.js';
import { Resources } from './helpers/resources.js';
import { servedFiles } from './helpers/servedFiles.js';

/** Messages of a thread at which it dies. */
const MESSAGES = 5;

const test = suite('a worker dies');

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('warning', (warning) => unhandled.push(warning));

const folder = temporaryFolder();
const script = join(folder, 'worker.mjs');
const entry = fileURLToPath(new URL('../../workers/worker.ts', import.meta.url));
await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', format: 'esm' });
const server = await fileServer(await servedFiles());
const streams = new GivenStreams();
test.after(async () => {
  await server[Symbol.asyncDispose]();
});

/** Jobs find the pool of the test under way through this. */
let pool: WorkerPool;
const current = new Proxy({} as WorkerPool, {
  get: (_, name) => {
    const value = Reflect.get(pool, name, pool);
    return typeof value === 'function' ? value.bind(pool) : value;
  },
});
const jobs = abortJobs(server, current, streams).filter(({ name }) => name.endsWith(', workers'));
const resources = new Resources();
let count = 0;

for (const job of jobs) {
  for (const how of chosen(['request', 'reply', 'throw'])) {
    for (let at = 0; at < MESSAGES; at++) {
      test(`${job.name}: at ${how} ${at}`, async () => {
        const once = join(folder, String(count++));
        process.env.DEATH = JSON.stringify({ script: pathToFileURL(script).href, at, how, once });
        pool = new WorkerPool(2, { url: new URL('helpers/dyingWorker.mjs', import.meta.url) });
        try {
          // Threads outlive jobs: the message may be one of a later job.
          for (let runs = 0; runs < MESSAGES && !existsSync(once); runs++) {
            const [outcome] = await Promise.allSettled([job.run(new AbortController().signal)]);
            if (outcome.status === 'fulfilled') continue;
            if (!(outcome.reason instanceof WorkerError)) throw outcome.reason;
            assert.ok(existsSync(once), String(outcome.reason));
          }
          assert.ok(existsSync(once), 'no thread has died');
          // Another one takes its place.
          await job.run(new AbortController().signal);
        } finally {
          pool.close();
        }
        await until(() => server.active === 0 && streams.left().length === 0);
        assert.is(server.active, 0);
        assert.equal(streams.left(), []);
        streams.forget();
        assert.equal(await resources.left(() => server.closeIdle()), []);
        assert.equal(unhandled.splice(0), []);
      });
    }
  }
}

test.run();

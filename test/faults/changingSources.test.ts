import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { HolostreamError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { temporaryFolder } from '../helpers/cli.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { openFiles } from '../helpers/openFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { until } from '../helpers/streams.js';
import { chosen } from './helpers/chosen.js';
import { type FileJob, fileJobs } from './helpers/fileJobs.js';
import { injectFaults } from './helpers/injectedFs.js';
import { MEDIUM, servedFiles } from './helpers/servedFiles.js';
import { Target } from './helpers/target.js';

const test = suite('a source changes while it is read');

const folder = temporaryFolder();
const inputs = join(folder, 'inputs');
mkdirSync(inputs);

/** What another program does to a file. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'is written over': (path) => writeFileSync(path, pseudoRandomBytes(statSync(path).size), { flag: 'r+' }),
  'has a byte changed': (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(path, bytes, { flag: 'r+' });
  },
  'is cut off': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  grows: (path) => writeFileSync(path, 'more', { flag: 'a' }),
  'is replaced': (path) => {
    writeFileSync(`${path}-next`, pseudoRandomBytes(1000));
    renameSync(`${path}-next`, path);
  },
};

/** The clock of a file system may be coarse: the change comes a while later. */
function changeLater(path: string, change: (path: string) => void): void {
  change(path);
  utimesSync(path, 2000, 2000);
}

/** Runs a job, and calls back before each read of a file. @returns what it failed with */
async function run(job: FileJob, target: Target, beforeRead: (n: number) => void): Promise<unknown> {
  let reads = 0;
  using _ = injectFaults(async ({ name, run }) => {
    if (name === 'read') beforeRead(reads++);
    return run();
  }, inputs);
  return await job.run('new', target.path).then(
    () => undefined,
    (error: unknown) => error,
  );
}

for (const job of await fileJobs(inputs)) {
  if (job.inputs.length === 0 || job.prepare !== undefined) continue;
  const target = new Target(join(folder, job.name), job.target);
  await job.run('old', target.path);
  target.learn('old');
  if (job.onlyNew) target.reset('nothing');
  let count = 0;
  assert.is(await run(job, target, () => (count += 1)), undefined);
  target.learn('new');
  for (const input of job.inputs) {
    copyFileSync(input, `${input}-kept`);
    const faults = Object.entries(CHANGES).flatMap(([name, change]) =>
      Array.from({ length: count }, (_, n) => ({ name, change, n })),
    );
    for (const { name, change, n } of chosen(faults)) {
      test(`${job.name}: ${basename(input)} ${name} before read ${n} of ${count}`, async () => {
        target.reset(job.onlyNew ? 'nothing' : 'old');
        copyFileSync(`${input}-kept`, input);
        utimesSync(input, 1000, 1000);
        const failure = await run(job, target, (at) => at === n && changeLater(input, change));
        copyFileSync(`${input}-kept`, input);
        assert.ok(failure === undefined || failure instanceof HolostreamError, String(failure));
        // Never a mixture, and nothing else than the versions that there were.
        assert.is(target.version(), failure === undefined ? 'new' : job.onlyNew ? undefined : 'old');
        assert.equal(target.leftovers(), []);
        assert.is(openFiles(folder), 0);
      });
    }
  }
}

const files = await servedFiles();
const model = files['medium.holo.safetensors']!;
const other = model.map((byte, i) => (i < 20_000 ? byte : byte ^ 1));

/** What a server does from its n-th request on. */
const SERVER_CHANGES: Readonly<Record<string, (server: FaultyServer) => void>> = {
  'another version, with its ETag': (server) => Object.assign(server, { bytes: other, etag: '"2"' }),
  'another version, with the same ETag': (server) => Object.assign(server, { bytes: other }),
  'another version, without an ETag': (server) => Object.assign(server, { bytes: other, etag: undefined }),
  'a shorter file': (server) => Object.assign(server, { bytes: model.subarray(0, 40_000), etag: '"2"' }),
  'a longer file': (server) => Object.assign(server, { bytes: Buffer.concat([model, model]), etag: '"2"' }),
};

for (const [name, change] of Object.entries(SERVER_CHANGES)) {
  for (const n of chosen([1, 2, 3, 4, 5, 6])) {
    test(`openModel: from request ${n} on, the server has ${name}`, async () => {
      await using server = await faultyServer(model);
      server.fault = (request) => {
        if (request === n) change(server);
        // Many requests, so that versions can meet.
        return { dropAfter: 50_000 };
      };
      const http = { retry: { delay: 1, maxDelay: 5 } };
      const load = async () => {
        await using opened = await openModel(server.url, { http });
        return opened.load();
      };
      const [outcome] = await Promise.allSettled([load()]);
      if (outcome.status === 'rejected') {
        if (!(outcome.reason instanceof HolostreamError)) throw outcome.reason;
      } else {
        const expected = viewBytes(MEDIUM.data);
        for (const { data } of outcome.value.values())
          assert.ok(Buffer.from(viewBytes(data)).equals(expected));
      }
      await until(() => server.active === 0);
      assert.is(server.active, 0);
    });
  }
}

test.run();

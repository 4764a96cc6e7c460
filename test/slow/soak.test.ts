import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Check } from '../soak/checks.js';
import { supervise } from '../soak/supervise.js';
import { MIN_SAMPLES } from '../soak/trend.js';

const test = suite('soak');

const root = fileURLToPath(new URL('../..', import.meta.url));
const SMALL = { models: 3, streams: 1, files: 1 };
const NOTHING = { models: 0, streams: 0, files: 0 };

/** What is left is waited for as long as this; all else has the time that it needs on a busy machine. */
const LEFT_MS = 1000;

/** Soaks with planted faults, until all of the checks have found something. */
async function checksThatFind(planted: readonly string[], expected: readonly Check[], patienceMs = 60_000) {
  const found = new Map<Check, string>();
  await supervise({
    root,
    minutes: 0.001,
    seed: 1,
    size: NOTHING,
    planted,
    patienceMs,
    found({ check, step, what }) {
      found.set(check, `${step}: ${what}`);
      return !expected.every((one) => found.has(one));
    },
    progress: () => {},
  });
  assert.equal([...found.keys()].sort(), [...expected].sort());
  return found;
}

test('nothing is found where nothing is wrong', async () => {
  const findings: unknown[] = [];
  const report = await supervise({
    root,
    minutes: 0.001,
    seed: 1,
    size: SMALL,
    found: (finding) => findings.push(finding) > 0,
    progress: () => {},
  });
  assert.equal(findings, []);
  assert.is(report!.rounds, 2 * MIN_SAMPLES);
  assert.ok(report!.outcomes.get('exact')! > report!.rounds);
  assert.ok(report!.server.requests > 0);
});

test('a wrong result is found, an unhandled rejection, and a warning', async () => {
  const found = await checksThatFind(['result'], ['result']);
  assert.match(found.get('result')!, /^1\.0: planted result: TypeError: planted/);
  assert.match((await checksThatFind(['rejection'], ['rejection'])).get('rejection')!, /^1: Error: planted/);
  assert.match((await checksThatFind(['warning'], ['rejection'])).get('rejection')!, /MaxListeners/);
});

test('what is left is found: timers, connections, files, threads, temporary files', async () => {
  const left = { timer: 'handles', file: 'files', threads: 'threads', leftover: 'leftovers' } as const;
  await checksThatFind(Object.keys(left), Object.values(left), LEFT_MS);
  // It is a handle and an open file, too.
  await checksThatFind(['connection'], ['connections', 'handles', 'files'], LEFT_MS);
});

test('memory that grows is found: of the heap, of buffers, and what JavaScript does not count', async () => {
  await checksThatFind(['heap'], ['heap']);
  await checksThatFind(['buffers'], ['external', 'arrayBuffers']);
  await checksThatFind(['native'], ['rss']);
});

test('a job that never ends is found, and a process that dies', async () => {
  assert.match((await checksThatFind(['end'], ['end'], 500)).get('end')!, /planted end: does not end/);
  assert.match((await checksThatFind(['dies'], ['end'])).get('end')!, /ended with SIGKILL/);
});

test.run();

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Finding } from '../fuzz/findings.js';
import { supervise } from '../fuzz/supervisor.js';

const test = suite('processes of the fuzzer');

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'holostream-fuzzer-'));
});

test.after(() => {
  rmSync(folder, { recursive: true });
});

/** Fuzzes a sound target and a planted one. */
async function superviseWith(name: string, minutes: number) {
  const found: [Finding, string][] = [];
  const report = await supervise({
    root,
    minutes,
    seed: 1,
    targets: './planted.js',
    target: `sound,${name}`,
    updateCorpus: false,
    attemptFile: join(folder, 'attempt'),
    found: (...one) => found.push(one),
    progress: () => {},
    silenceMs: 5000,
  });
  assert.is(report.faults, 1);
  const [{ target, input }, fault] = found[0]!;
  assert.is(target, name);
  assert.is.not(input[0], 0);
  return { ...report, fault };
}

test('an input that makes the process hang is found', async () => {
  // Less than until the silence is noticed: after that, no other process is started.
  const { fault, processes } = await superviseWith('hangs', 0.05);
  assert.match(fault, /^the process hangs/);
  assert.is(processes, 1);
});

test('an input that ends the process is found, and another one goes on', async () => {
  const minutes = 0.06;
  const { fault, processes, seconds } = await superviseWith('dies', minutes);
  assert.match(fault, /^the process ended with SIGKILL: Error: planted/);
  // On a very busy machine, the time is over when the first has started.
  assert.ok(processes > 1 || seconds > 60 * minutes, `${processes} processes in ${seconds} s`);
});

test.run();

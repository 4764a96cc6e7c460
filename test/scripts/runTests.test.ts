import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const FOLDER = 'test/scripts/failing';
const FAILURES = [
  `${FOLDER}/failing.ts  "counts to three"  Expected values to be strictly equal:  (is)  ++3 (Expected)  --2 (Actual)  ${FOLDER}/failing.ts:5`,
  `${FOLDER}/failing.ts  "says what went wrong"  no such weight  ${FOLDER}/failing.ts:7`,
  `${FOLDER}/failingProperty.ts  "holds"  seed 3: Expected values to be strictly equal:  (is)  ++true (Expected)  --false (Actual)  Counterexample: [{"rows":5}]  ${FOLDER}/failingProperty.ts:8`,
  `${FOLDER}/failingHook.ts  "before"  Error: the server did not start  ${FOLDER}/failingHook.ts:8`,
  `${FOLDER}/failingCleanup.ts  "after passes"  left open  ${FOLDER}/failingCleanup.ts:9`,
  `${FOLDER}/failingCleanup.ts  "after fails"  left open  ${FOLDER}/failingCleanup.ts:9`,
  `${FOLDER}/failingCleanup.ts  "fails"  no such file  ${FOLDER}/failingCleanup.ts:16`,
  `${FOLDER}/ending.ts  ran no test to its end (exit code 1): TypeError: this module cannot be loaded`,
];

test('a run of tests ends with what failed, a line each', () => {
  const files = ['failing', 'failingProperty', 'failingHook', 'failingCleanup', 'ending'].map(
    (name) => `${FOLDER}/${name}.ts`,
  );
  const run = ['--import', 'tsx', 'scripts/runTests.ts', ...files];
  const { status, stdout } = spawnSync(process.execPath, run, { encoding: 'utf8' });
  assert.is(status, 1);
  const lines = stdout.trimEnd().split('\n');
  const at = lines.indexOf('Failed tests:') + 1;
  const end = at + FAILURES.length;
  assert.equal(lines.slice(at, end).sort(), FAILURES.map((line) => `  ${line}`).sort());
  assert.equal(lines.slice(end, -1), ['', '  Total:     9', '  Passed:    3', '  Skipped:   0']);
});

test('a file whose set-up fails, run alone, fails and says why', () => {
  const run = ['--import', 'tsx', `${FOLDER}/failingHook.ts`];
  const { status, stdout } = spawnSync(process.execPath, run, { encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stdout, /FAIL {2}"before"\n +Error: the server did not start/);
});

test('what follows each test is run by afterEach, which tells what fails in it', () => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const hooks = files.filter((name) => readFileSync(join('test', name), 'utf8').match(/\.after\.each\(/));
  assert.equal(hooks, [join('helpers', 'afterEach.ts')]);
});

test.run();

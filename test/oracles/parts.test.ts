import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** The end of a log in which these parts ran. */
function summaryOf(parts: string): string[] {
  const script = `set -uo pipefail; . .ci/parts.sh; ${parts}; finish`;
  const { status, stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.is(status, 1);
  const lines = stdout.trimEnd().split('\n');
  return lines.slice(lines.findLastIndex((line) => line.includes('min  in all')) + 1);
}

test('the summary of CI ends with what failed in each part', () => {
  const summary = summaryOf(`
    tests() {
      printf 'Failed tests:\\n  an earlier run\\n\\n  ✘ not in the list\\n'
      printf 'Failed tests:\\n'; seq -f '  %g' 30; printf '\\n  Total:     40\\n  Passed:    10\\n'
      return 1
    }
    part 'tests' tests
    fuzz() { printf '✘ target: fault\\nmore\\n\\n  Total:     2\\n  Passed:    1\\n'; return 1; }
    part 'fuzzing' fuzz
    part 'good' printf '  Total:     3\\n  Passed:    3\\n'
    build() { seq 20; printf 'npm error code 1\\n'; return 1; }
    part 'build' build`);
  assert.equal(summary, [
    '',
    '== tests',
    ...Array.from({ length: 12 }, (_, i) => `  ${i + 1}`),
    '  … and 18 lines more',
    '',
    '== fuzzing',
    '✘ target: fault',
    '',
    '== build',
    ...['15', '16', '17', '18', '19', '20'],
    '',
    '14 passed, 32 failed',
  ]);
});

test.run();

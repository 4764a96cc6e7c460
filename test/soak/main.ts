/**
 * Opens, loads, aborts and closes models for some minutes, over networks and servers that fail, and checks that nothing is left.
 */
import { fileURLToPath } from 'node:url';
import { endWithUsage, programOptions } from '../helpers/programOptions.js';
import { CHECKS, type Check, type Report } from './checks.js';
import { USUAL_SIZE } from './round.js';
import { supervise } from './supervise.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A line of progress this often. */
const PROGRESS_MS = 60_000;

/** So many faults are enough to look at. */
const MAX_FINDINGS = 20;

const USAGE =
  'npm run soak -- [--minutes N] [--seed S] [--step ROUND | ROUND.JOB]   (default: 1 minute, all steps)';

const values = programOptions(USAGE, {
  minutes: { type: 'string', default: '1' },
  seed: { type: 'string' },
  step: { type: 'string' },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const { step } = values;
if (!(minutes > 0) || !Number.isInteger(seed) || !/^(\d+(\.\d+)?)?$/.test(step ?? '')) {
  const what = Object.entries(values).map(([name, value]) => `--${name} ${value}`);
  endWithUsage(USAGE, `Cannot soak with ${what.join(' ')}`);
}

// So that what is done at the exit is done: the process of the jobs ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

console.log(`Soaking for ${minutes} min, seed ${seed}${step === undefined ? '' : `, step ${step}`}`);
const start = performance.now();
const broken = new Set<Check>();
let findings = 0;
let shown = start;
const report = await supervise({
  root,
  minutes,
  seed,
  step,
  size: USUAL_SIZE,
  found({ check, step, what }) {
    broken.add(check);
    findings += 1;
    const again = `npm run soak -- --seed ${seed}${step === undefined ? '' : ` --step ${step}`}`;
    // In one line, of which CI shows the beginning.
    console.log(`\n✘ ${check} (${again}): ${what}\n`);
    return findings < MAX_FINDINGS;
  },
  progress(report) {
    if (performance.now() < shown + PROGRESS_MS) return;
    shown = performance.now();
    console.log(`${((shown - start) / 60_000).toFixed(0).padStart(4)} min  ${summary(report)}`);
  },
});
if (report !== undefined) show(report);
console.log('');
for (const [check, what] of Object.entries(CHECKS)) {
  console.log(`  ${broken.has(check as Check) ? '✘' : '•'} ${what}`);
}
const total = Object.keys(CHECKS).length;
// In the form of the tests.
console.log(`\n  Total:     ${total}\n  Passed:    ${total - broken.size}\n`);
process.exitCode = broken.size === 0 ? 0 : 1;

function summary({ rounds, outcomes, server, memory }: Report): string {
  const jobs = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  const { requests, faults, sentBytes } = server;
  const parts = [
    `${rounds} rounds`,
    `${jobs} jobs`,
    `${requests} requests`,
    `${faults} faults`,
    `${megabytes(sentBytes)} sent`,
    `heap ${megabytes(memory?.[1].heap ?? 0)}`,
    `resident ${megabytes(memory?.[1].rss ?? 0)}`,
  ];
  return parts.join(', ');
}

function show(report: Report): void {
  console.log(`\n${summary(report)}`);
  for (const [outcome, count] of [...report.outcomes].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(8)}  ${outcome}`);
  }
  if (report.memory === undefined) return;
  const [first, last] = report.memory;
  console.log('\nmemory after half of the rounds, and at the end');
  for (const kind of ['heap', 'external', 'arrayBuffers', 'rss'] as const) {
    console.log(`${kind.padStart(14)}  ${megabytes(first[kind])}  ${megabytes(last[kind])}`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

/** Fuzzes everything that reads bytes of strangers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUsage, programOptions } from '../helpers/programOptions.js';
import { countAllocations } from './allocations.js';
import { readFinding, saveFinding } from './findings.js';
import { type Report, supervise } from './supervisor.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Findings of a run, in the folder of the repository; git ignores it. */
const FINDINGS = join(root, 'fuzz-findings');

/** A line of progress this often. */
const PROGRESS_SECONDS = 60;

const USAGE =
  'npm run fuzz -- [--minutes N] [--target T] [--seed S] [--update-corpus] | --replay FILE   (default: 1 minute, all targets)';

const values = programOptions(USAGE, {
  minutes: { type: 'string', default: '1' },
  target: { type: 'string' },
  seed: { type: 'string' },
  replay: { type: 'string' },
  'update-corpus': { type: 'boolean', default: false },
});

// So that what is done at the exit is done: the process that fuzzes ends, and its files are removed.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  const sound = await (values.replay === undefined ? fuzz() : replay(values.replay));
  process.exitCode = sound ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function fuzz(): Promise<boolean> {
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (!(minutes > 0) || !Number.isInteger(seed)) {
    endWithUsage(USAGE, `Cannot fuzz with --minutes ${values.minutes} --seed ${values.seed ?? seed}`);
  }
  console.log(`Fuzzing for ${minutes} min, seed ${seed}`);
  const scratch = mkdtempSync(join(tmpdir(), 'holostream-fuzz-'));
  const broken = new Set<string>();
  let shown = 0;
  try {
    const report = await supervise({
      root,
      minutes,
      seed,
      targets: './targets/index.js',
      target: values.target,
      updateCorpus: values['update-corpus'],
      attemptFile: join(scratch, 'attempt'),
      found(finding, fault) {
        broken.add(finding.target);
        console.log(`\n✘ ${finding.target}, seed ${seed}: ${fault}\n  ${saveFinding(finding, FINDINGS)}\n`);
      },
      progress(report) {
        if (report.seconds < shown + PROGRESS_SECONDS) return;
        shown = report.seconds;
        console.log(`${(report.seconds / 60).toFixed(0).padStart(4)} min  ${summary(report)}`);
      },
    });
    show(report, broken);
    return broken.size === 0;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function summary({ targets, coverage, seconds, faults }: Report): string {
  const inputs = targets.reduce((sum, target) => sum + target.inputs, 0);
  const rate = (inputs / seconds).toFixed(0);
  const share = ((100 * coverage.covered) / Math.max(1, coverage.loaded)).toFixed(1);
  return `${inputs} inputs (${rate} per second), ${share} % of the loaded code reached, ${faults} faults`;
}

function show(report: Report, broken: ReadonlySet<string>): void {
  // Seconds are of processor time, because other programs run, too; memory is what one way requested for one input.
  console.log('\n   inputs  per second  accepted  starts from  slowest   memory  target');
  for (const { name, inputs, accepted, seconds, pool, slowest, largest } of report.targets) {
    const columns = [
      String(inputs).padStart(9),
      (inputs / Math.max(seconds, 0.001)).toFixed(0).padStart(10),
      `${((100 * accepted) / Math.max(inputs, 1)).toFixed(0)} %`.padStart(8),
      String(pool).padStart(11),
      `${slowest.toFixed(2)} s`.padStart(7),
      `${(largest / 2 ** 20).toFixed(1)} MB`.padStart(7),
      `${name}${broken.has(name) ? ' ✘' : ''}`,
    ];
    console.log(columns.join('  '));
  }
  console.log(`\n${summary(report)}`);
  // In the form of the tests: one per target.
  console.log(
    `\n  Total:     ${report.targets.length}\n  Passed:    ${report.targets.length - broken.size}\n`,
  );
}

async function replay(path: string): Promise<boolean> {
  countAllocations();
  const { learn, judge } = await import('./judge.js');
  const { targetsNamed } = await import('./targets/index.js');
  const finding = readFinding(path);
  const [target] = await targetsNamed(values.target ?? finding.target);
  const damaged = target!.seeds.find(({ name }) => name === finding.seed);
  await learn(target!);
  const start = performance.now();
  const { fault, outcome } = await judge(target!, finding.input, damaged);
  console.log(`${finding.input.length} bytes, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  console.log(outcome.replaceAll('; ', '\n'));
  console.log(fault === undefined ? 'Nothing is wrong.' : `✘ ${fault}`);
  return fault === undefined;
}

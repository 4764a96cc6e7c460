/**
 * Runs test files, each in a process of its own, a few at a time. A file fails when one of its tests fails or is
 * skipped, when it crashes, and when it runs no test.
 * usage: tsx scripts/runTests.ts [--jobs n] [--thorough] [--ignore folder,folder] [file, folder or glob …]
 *   default: test; --thorough: all that test/helpers/runs.ts has parts of
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { bundleTests } from './bundleTests.js';
import { COMMAND_VARIABLE, compilePrograms } from './compilePrograms.js';
import { withSourceLines } from './sourceLines.js';
import { failedTests, lastWords } from './testFailures.js';

/** A file that takes longer is stuck. */
const FILE_TIMEOUT_MINUTES = 20;
const SLOWEST_FILES = 5;
/** They start first: five seconds of processor time or more, or three in so few lines that they would come last. */
const LONGEST_FILES = [
  'test/examples/demo.test.ts',
  'test/models/workers.test.ts',
  'test/cli/modelFile.test.ts',
  'test/src/kernels/embedded.test.ts',
  'test/examples/documents.test.ts',
  'test/readers/steps.test.ts',
  'test/fuzz/fuzzer.test.ts',
  'test/options.test.ts',
  'test/fuzz/corpus.test.ts',
  'test/bulk/divided.test.ts',
  'test/src/agreement.test.ts',
  'test/cli/partial.test.ts',
  'test/platform/sharedSignal.test.ts',
  'test/backpressure/backpressure.test.ts',
  'test/docs/contributing.test.ts',
  'test/fuzz/flips.test.ts',
  'test/workers/thread.test.ts',
  'test/src/encodings/embedded/memory.test.ts',
  'test/src/holotensor/flips.test.ts',
  'test/examples/readme.test.ts',
  'test/examples/programs.test.ts',
  'test/src/encodings/embedded/reference.test.ts',
  'test/src/encodings/embedded/ranges.test.ts',
];
/** Some files wait for timers, servers and disks. */
const MORE_JOBS_THAN_CORES = 2;
const root = fileURLToPath(new URL('..', import.meta.url));

interface Outcome {
  readonly file: string;
  readonly output: string;
  readonly seconds: number;
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
  /** What is wrong with the file as a whole. */
  readonly fault: string | undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string' }, ignore: { type: 'string' }, thorough: { type: 'boolean' } },
});
const files = testFiles(positionals.length > 0 ? positionals : ['test'], values.ignore?.split(',') ?? []);
if (files.length === 0) {
  console.error(`Cannot run tests: no test file matches ${positionals.join(' ') || 'test'}`);
  process.exit(1);
}

const start = performance.now();
const modules = await bundleTests(root, files);
// A test of runs is part of one that has compiled it.
process.env[COMMAND_VARIABLE] ??= compileCommand();
if (values.thorough) process.env.HOLOSTREAM_TEST_THOROUGH = '1';
const outcomes: Outcome[] = [];
const runInTurn = async () => {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const outcome = await run(file);
    outcomes.push(outcome);
    report(outcome);
  }
};
await Promise.all(
  Array.from({ length: Number(values.jobs ?? availableParallelism() + MORE_JOBS_THAN_CORES) }, runInTurn),
);
summarize();

/** The command line for the tests that start it. It is there until the process ends. */
function compileCommand(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holostream-command-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  // Tests run it as another user.
  chmodSync(folder, 0o755);
  return compilePrograms(root, [join(root, 'cli/main.ts')], folder)[0]!;
}

/** The test files that the arguments name. */
function testFiles(args: readonly string[], ignored: readonly string[]): string[] {
  const found = args.flatMap((arg) => {
    const path = relative(root, arg).replaceAll('\\', '/');
    if (existsSync(arg)) return statSync(arg).isDirectory() ? filesUnder(path) : [path];
    const pattern = globPattern(path);
    return filesUnder('test').filter((file) => pattern.test(file));
  });
  const isIgnored = (file: string) => ignored.some((folder) => file.startsWith(`${folder}/`));
  const isLong = (file: string) => Number(LONGEST_FILES.includes(file));
  const size = (file: string) => statSync(join(root, file)).size;
  // A slow file at the end would keep a single core busy. Large ones tend to be slow.
  return [...new Set(found)]
    .filter((file) => !isIgnored(file))
    .sort((a, b) => isLong(b) - isLong(a) || size(b) - size(a));
}

/** Paths relative to the repository. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.ts'));
}

function globPattern(glob: string): RegExp {
  const parts: Record<string, string> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
  return new RegExp(
    `^${glob.replace(/\*\*\/|\*\*|[*?]|[.+^${}()|[\]]/g, (part) => parts[part] ?? `\\${part}`)}$`,
  );
}

async function run(file: string): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(process.execPath, [modules.moduleOf(file), file], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FILE_TIMEOUT_MINUTES * 60_000,
    killSignal: 'SIGKILL',
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  process.off('exit', kill);
  const seconds = (performance.now() - start) / 1000;
  const output = Buffer.concat(chunks).toString();
  const counts = {
    total: count(output, 'Total'),
    passed: count(output, 'Passed'),
    skipped: count(output, 'Skipped'),
  };
  let fault: string | undefined;
  if (seconds >= FILE_TIMEOUT_MINUTES * 60) fault = `did not end within ${FILE_TIMEOUT_MINUTES} minutes`;
  else if (signal !== null) fault = `was ended by ${signal}`;
  else if (counts.total === 0) fault = `ran no test to its end (exit code ${code})`;
  else if (counts.skipped > 0) fault = `skips ${counts.skipped} tests`;
  else if (code !== 0 && counts.passed === counts.total) fault = `ended with exit code ${code}`;
  const outcome = { file, output, seconds, ...counts, fault };
  if (!hasFailed(outcome)) return outcome;
  await modules.mapSources(file);
  return { ...outcome, output: withSourceLines(output, modules.moduleOf(file)) };
}

/** A number of the summary that uvu prints last. */
function count(output: string, label: string): number {
  const lines = stripVTControlCharacters(output).matchAll(new RegExp(`^ +${label}: +(\\d+)$`, 'gm'));
  return Number([...lines].at(-1)?.[1] ?? 0);
}

function hasFailed({ fault, passed, total }: Outcome): boolean {
  return fault !== undefined || passed < total;
}

function report(outcome: Outcome): void {
  const { file, output, seconds, total, passed } = outcome;
  console.log(`${hasFailed(outcome) ? '✘' : '•'} ${file}  (${passed} / ${total})  ${seconds.toFixed(1)} s`);
  if (hasFailed(outcome)) console.log(`\n${output}`);
  // What could not be tried here.
  else for (const line of output.split('\n')) if (line.startsWith('note: ')) console.log(line);
}

function summarize(): void {
  const slowest = outcomes.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_FILES);
  console.log('\nSlowest files:');
  for (const { file, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(8)} s  ${file}`);
  const failures = outcomes.filter(hasFailed);
  // At the end, where a long log is read first.
  if (failures.length > 0) console.log('\nFailed tests:');
  for (const { file, fault, output } of failures) {
    const tests = failedTests(output);
    for (const test of tests) console.log(`  ${file}  ${test}`);
    if (fault !== undefined) console.log(`  ${file}  ${fault}: ${lastWords(output)}`);
    else if (tests.length === 0) console.log(`  ${file}  does not tell which of its tests failed`);
  }

  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((all, outcome) => all + of(outcome), 0);
  // A file at fault counts as one more test that failed.
  console.log(`\n  Total:     ${sum(({ total, fault }) => total + (fault === undefined ? 0 : 1))}`);
  console.log(`  Passed:    ${sum(({ passed }) => passed)}`);
  console.log(`  Skipped:   ${sum(({ skipped }) => skipped)}`);
  console.log(`  Duration:  ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  if (failures.length > 0) process.exitCode = 1;
}

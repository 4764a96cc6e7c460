import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeLeftovers } from '../../sinks/file.js';
import { HolostreamError } from '../../src/errors.js';
import { temporaryFolder } from '../helpers/cli.js';
import { openFiles } from '../helpers/openFiles.js';
import { chosen } from './helpers/chosen.js';
import { disowned, type FileJob, fileJobs } from './helpers/fileJobs.js';
import { type FileFaults, injectFaults, systemError } from './helpers/injectedFs.js';
import { Target } from './helpers/target.js';

const test = suite('a file operation fails');

const folder = temporaryFolder();
const inputs = join(folder, 'inputs');
mkdirSync(inputs);

interface Fault {
  readonly name: string;
  /** The error; without one, a write only does its first half, as it may. */
  readonly code?: string;
  /** The operations that it concerns. Default: all. */
  readonly only?: ReadonlySet<string>;
  /** All operations that follow fail, too. */
  readonly lasts?: true;
}

const WRITES = new Set(['write', 'writeFile', 'mkdir', 'sync']);
const FAULTS: readonly Fault[] = [
  { name: 'EIO', code: 'EIO' },
  { name: 'EACCES from there on', code: 'EACCES', lasts: true },
  { name: 'ENOSPC from there on', code: 'ENOSPC', only: WRITES, lasts: true },
  { name: 'half a write', only: new Set(['write']) },
];

/** These undo what a run has done: if one of them fails, something may be left for the next process. */
const CLEANUPS = new Set(['rm', 'rmdir', 'rename', 'readdir']);

/** @param at the number of the operation, counted from 0; undefined for no fault */
function faultAt(at: number | undefined, { code, only, lasts }: Fault) {
  const operations: string[] = [];
  const struck: string[] = [];
  const faults: FileFaults = async ({ name, run, runPartly }) => {
    const n = operations.push(name) - 1;
    const isTurn = at !== undefined && (lasts ? n >= at : n === at);
    if (!isTurn || only?.has(name) === false) return run();
    struck.push(name);
    const done = await runPartly();
    if (code === undefined) return done;
    throw systemError(code, name);
  };
  return { faults, operations, struck };
}

/** What this process has left becomes what a dead one has left. */
function disown(place: string): void {
  for (const name of readdirSync(place)) {
    if (disowned(name) !== name) renameSync(join(place, name), join(place, disowned(name)));
  }
}

for (const job of await fileJobs(inputs)) {
  const target = new Target(join(folder, job.name), job.target);
  const reset = () => {
    target.reset(job.onlyNew ? 'nothing' : 'old');
    job.prepare?.(target.path);
  };
  await job.run('old', target.path);
  target.learn('old');
  reset();
  const whole = faultAt(undefined, { name: 'none' });
  {
    using _ = injectFaults(whole.faults, folder);
    await job.run('new', target.path);
  }
  target.learn('new');

  for (const fault of FAULTS) {
    const concerned = [...whole.operations.entries()].filter(([, name]) => fault.only?.has(name) !== false);
    for (const [n, name] of chosen(concerned)) {
      test(`${job.name}: ${fault.name} at operation ${n}, ${name}`, async () => {
        reset();
        const { faults, struck } = faultAt(n, fault);
        const failure = await failureOf(job, target, faults);
        assert.ok(failure === undefined || failure instanceof HolostreamError, String(failure));
        if (failure !== undefined) assert.not(fault.code === undefined || job.neverFails, String(failure));
        assertSound(job, target, struck);
        if (job.onlyNew) target.reset('nothing');
        if (!job.target.endsWith('/')) await removeLeftovers(target.path);
        await job.run('new', target.path);
        // What a cache cannot delete now, it deletes an hour later.
        if (!job.neverFails) assert.is(target.version(), 'new');
        assert.equal(target.leftovers(), []);
      });
    }
  }
}

async function failureOf(job: FileJob, target: Target, faults: FileFaults): Promise<unknown> {
  using _ = injectFaults(faults, folder);
  return await job.run('new', target.path).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** After a run that may have failed: the target is whole, nothing is open, and only failed cleanups leave something. */
function assertSound(job: FileJob, target: Target, struck: readonly string[]): void {
  assert.is(openFiles(folder), 0, 'files left open');
  if (job.neverFails) return;
  const left = target.leftovers();
  const version = target.version();
  const mayLeave =
    job.prepare !== undefined || version === 'new' || struck.some((name) => CLEANUPS.has(name));
  assert.ok(left.length === 0 || mayLeave, `left behind: ${left}`);
  const isThere = version !== undefined || left.some((name) => name.endsWith('.old'));
  assert.ok(isThere || job.onlyNew, 'the target is lost');
  disown(target.folder);
}

test.run();

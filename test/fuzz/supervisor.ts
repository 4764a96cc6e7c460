import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastWords } from '../../scripts/testFailures.js';
import { compile } from '../helpers/compile.js';
import type { Finding } from './findings.js';
import type { FuzzStats, TargetStats } from './fuzzer.js';
import { type Message, type ProcessOptions, unpackAttempt } from './process.js';

/**
 * A process that says nothing for this long hangs, also while it starts and reads good inputs: its turns take two seconds on
 * an idle machine, and minutes on one that has much to do and gives it little, because it runs with `nice`.
 */
const SILENCE_MS = 600_000;

/** So many faults are enough to look at. */
const MAX_FAULTS = 20;

/** Objects of the process; buffers are counted apart. */
const HEAP_MB = 1024;

/** Of what the process says on its way out: an engine that gives up says why in its first lines. */
const MAX_WORDS = 16_384;

/** Beside the compiled modules of the product. */
const SCRIPT = 'test/fuzz/process.js';

export interface SuperviseOptions extends Omit<ProcessOptions, 'seconds'> {
  readonly minutes: number;
  readonly found: (finding: Finding, fault: string) => void;
  readonly progress: (report: Report) => void;
  /** For tests. Default {@link SILENCE_MS}. */
  readonly silenceMs?: number | undefined;
}

export interface Report {
  readonly targets: readonly TargetStats[];
  readonly coverage: FuzzStats['coverage'];
  readonly faults: number;
  readonly seconds: number;
  /** One, and one more for each that hung or died. */
  readonly processes: number;
}

/**
 * Fuzzes for some minutes in a process of its own; in another one, when that hangs or ends.
 * @throws Error when the process cannot start
 */
export async function supervise(options: SuperviseOptions): Promise<Report> {
  const compiled = await compile(options.root);
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  const finished: FuzzStats[] = [];
  const known = new Set<string>();
  let current: FuzzStats | undefined;
  let processes = 0;
  const report = (): Report => ({
    ...merge(current === undefined ? finished : [...finished, current]),
    faults: known.size,
    seconds: elapsed(),
    processes,
  });
  const found = (finding: Finding, fault: string) => {
    // The same up to figures, and in the same place.
    const lines = fault.split('\n', 2).join(' ').slice(0, 400);
    const same = `${finding.target} ${lines.replace(/\d+(\.\d+)?/g, '0')}`;
    if (known.has(same)) return;
    known.add(same);
    options.found(finding, fault);
  };
  const { found: _, progress: __, ...rest } = options;
  for (let goesOn = true; goesOn; ) {
    const child = fork(join(compiled, SCRIPT), {
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--enable-source-maps'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const seconds = 60 * options.minutes - elapsed();
    child.send({ ...rest, root: compiled, seconds, seed: options.seed + processes } satisfies ProcessOptions);
    processes += 1;
    const death = await watch(child, options.silenceMs ?? SILENCE_MS, (message) => {
      if (message.kind === 'failed') throw new Error(message.message);
      if (message.kind === 'found') found(message.finding, message.fault);
      if (message.kind === 'stats') {
        current = message.stats;
        options.progress(report());
      }
      return known.size < MAX_FAULTS;
    });
    if (current !== undefined) finished.push(current);
    current = undefined;
    if (death !== undefined) found(readAttempt(options.attemptFile, death), `the process ${death}`);
    goesOn = death !== undefined && elapsed() < 60 * options.minutes && known.size < MAX_FAULTS;
  }
  return report();
}

/** @throws Error when the process ended while it read no input: it started, or made inputs */
function readAttempt(file: string, death: string): Finding {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  if (bytes.length > 0) return unpackAttempt(bytes);
  throw new Error(`Cannot fuzz: the process ${death}`);
}

/**
 * Listens until the process ends.
 * @param listen says whether to go on
 * @returns how it ended, unless by itself
 */
function watch(
  child: ChildProcess,
  silenceMs: number,
  listen: (message: Message) => boolean,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let silent = false;
    let stopped = false;
    const hangs = () => {
      silent = true;
      child.kill('SIGKILL');
    };
    let words = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      process.stderr.write(text);
      words = (words + text).slice(0, MAX_WORDS);
    });
    let timer = setTimeout(hangs, SILENCE_MS);
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.on('message', (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(hangs, silenceMs);
      try {
        if (!stopped && listen(message)) return;
      } catch (error) {
        reject(error);
      }
      stopped = true;
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    // Not before all that it said is read.
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', kill);
      if (silent) resolve(`hangs: it said nothing for ${silenceMs / 1000} s`);
      else if (stopped || code === 0) resolve(undefined);
      else resolve(`ended with ${signal ?? `code ${code}`}${words === '' ? '' : `: ${lastWords(words)}`}`);
    });
  });
}

function merge(all: readonly FuzzStats[]): FuzzStats {
  const targets = new Map<string, TargetStats>();
  for (const { targets: some } of all) {
    for (const one of some) {
      const sum = targets.get(one.name);
      targets.set(one.name, {
        name: one.name,
        inputs: one.inputs + (sum?.inputs ?? 0),
        accepted: one.accepted + (sum?.accepted ?? 0),
        seconds: one.seconds + (sum?.seconds ?? 0),
        pool: Math.max(one.pool, sum?.pool ?? 0),
        slowest: Math.max(one.slowest, sum?.slowest ?? 0),
        largest: Math.max(one.largest, sum?.largest ?? 0),
      });
    }
  }
  const coverage = all.map((stats) => stats.coverage).sort((a, b) => b.covered - a.covered)[0];
  return { targets: [...targets.values()], coverage: coverage ?? { covered: 0, loaded: 0 } };
}

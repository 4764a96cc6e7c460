/** The process of the jobs: what it leaves, and its memory, are the library's. `supervise.ts` starts and watches it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding, Report } from './checks.js';
import type { RoundSize } from './round.js';
import { Soak } from './soak.js';
import { MIN_SAMPLES } from './trend.js';

export interface ProcessOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly size: RoundSize;
  /** A round, or a job of it, to repeat: "12" or "12.31". */
  readonly step?: string | undefined;
  /** For tests of the checks: the names of faults of `planted.ts`. */
  readonly planted?: readonly string[] | undefined;
  /** For tests. Default {@link PATIENCE_MS}. */
  readonly patienceMs?: number | undefined;
}

export type Message =
  | { readonly kind: 'found'; readonly finding: Finding }
  | { readonly kind: 'progress' | 'done'; readonly report: Report };

/** Minutes: the machine may be busy. */
const PATIENCE_MS = 300_000;

/** The first half does not count. */
const MIN_ROUNDS = 2 * MIN_SAMPLES;

async function run(options: ProcessOptions): Promise<void> {
  const { minutes, seed, size, step, planted = [], patienceMs = PATIENCE_MS } = options;
  const end = performance.now() + 60_000 * minutes;
  const folder = mkdtempSync(join(tmpdir(), 'holostream-soak-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const soak = await Soak.open({
    seed,
    size,
    folder,
    planted,
    patienceMs,
    found: (finding) => send({ kind: 'found', finding }),
  });
  const [round, job] = step?.split('.').map(Number) ?? [];
  for (let n = 1; n <= MIN_ROUNDS || performance.now() < end; n++) {
    if (!(await soak.round(round ?? n, job))) process.exit(1);
    send({ kind: 'progress', report: soak.report });
  }
  await soak.close();
  send({ kind: 'done', report: soak.report });
}

function send(message: Message): void {
  process.send!(message);
}

process.once('disconnect', () => process.exit());
process.once('message', async (options: ProcessOptions) => {
  try {
    await run(options);
    process.disconnect();
  } catch (error) {
    // A fault of the soak itself. Rejections that nobody handles are for its findings: they do not end the process.
    console.error(error);
    process.exit(1);
  }
});

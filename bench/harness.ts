/**
 * Times that mean something on any machine: all cases of a group run in turns within the same seconds, and each
 * line shows its ratio to the group's baselines (a warm copy of the same bytes, the portable path, the library one
 * would otherwise use).
 */

/** A sample repeats its case until it takes this long, so that the clock's steps and the call do not show. */
const MIN_SAMPLE_MS = 2;
/** A case that takes less than this is run once before each sample: the case before it has emptied the caches. */
const WARM_UP_MS = 20;
/** Samples a case: enough for a median that one hiccup does not move… */
const MIN_SAMPLES = 5;
const MAX_SAMPLES = 50;
/** …within this time for a group, unless the smallest number of samples takes longer. */
const GROUP_BUDGET_MS = 2000;

export interface BenchCase {
  readonly name: string;
  /** Does the work once. A promise is awaited. */
  readonly run: () => unknown;
  /** Others of the group are shown as multiples of this one's time. */
  readonly baseline?: boolean;
}

export interface BenchResult {
  readonly name: string;
  /** Median time of one run. */
  readonly ms: number;
}

/** Measures the cases in turns, prints a line each, and gives back the times in the same order. */
export async function compare(
  title: string,
  bytes: number,
  cases: readonly BenchCase[],
  budgetMs = GROUP_BUDGET_MS,
): Promise<BenchResult[]> {
  const repeats: number[] = [];
  for (const { run } of cases) repeats.push(await calibrate(run));
  const samples: number[][] = cases.map(() => []);
  const start = performance.now();
  for (let round = 0; round < MAX_SAMPLES; round++) {
    if (round >= MIN_SAMPLES && performance.now() - start > budgetMs) break;
    for (const [i, { run }] of cases.entries()) {
      if (samples[i]!.at(-1)! < WARM_UP_MS) await sample(run, 1);
      samples[i]!.push(await sample(run, repeats[i]!));
    }
  }
  const results = cases.map(({ name }, i) => ({ name, ms: median(samples[i]!) }));
  const baselines = results.filter((_, i) => cases[i]!.baseline);
  for (const result of results) console.log(formatLine(title, bytes, result, baselines));
  return results;
}

/** The baseline that all can be held against: copying as many bytes between two arrays that have been touched. */
export function warmCopy(bytes: number): BenchCase {
  const from = new Uint8Array(bytes).fill(1);
  const to = new Uint8Array(bytes).fill(2);
  return { name: 'copy', run: () => to.set(from), baseline: true };
}

async function calibrate(run: () => unknown): Promise<number> {
  // The first run compiles; a fast case then runs on until it has been optimized.
  await sample(run, 1);
  for (let repeats = 1; ; repeats *= 4) {
    const ms = (await sample(run, repeats)) * repeats;
    if (ms >= MIN_SAMPLE_MS) return Math.max(1, Math.ceil((repeats * MIN_SAMPLE_MS) / ms));
  }
}

/** Milliseconds of one run, averaged over `repeats` runs in a row. */
async function sample(run: () => unknown, repeats: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / repeats;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function formatLine(
  title: string,
  bytes: number,
  { name, ms }: BenchResult,
  baselines: readonly BenchResult[],
): string {
  const ratios = baselines
    .filter((baseline) => baseline.name !== name)
    .map((baseline) => `${significant(ms / baseline.ms)} × ${baseline.name}`);
  const columns = [
    title.padEnd(32),
    name.padEnd(20),
    `${significant(ms)} ms`.padStart(10),
    `${Math.round(bytes / 1000 / ms)} MB/s`.padStart(12),
  ];
  return `${columns.join(' ')}   ${ratios.join('   ')}`.trimEnd();
}

function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

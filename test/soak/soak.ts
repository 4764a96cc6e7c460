import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openCache } from '../../sources/cache/cache.js';
import { folderStore } from '../../sources/cache/folderStore.js';
import { WorkerPool } from '../../workers/pool.js';
import { servedFiles } from '../faults/helpers/servedFiles.js';
import { type Check, type Finding, MAX_GROWTH, type Report } from './checks.js';
import { type Replacement, replacements } from './fileJob.js';
import { Gauges, measureMemory } from './gauges.js';
import { storedModels } from './models.js';
import { PLANTED_FILE, plantedJob } from './planted.js';
import { jobsOf, type RoundSize } from './round.js';
import { SoakServer } from './server.js';
import type { Job, Outcome, Stage } from './stage.js';
import { growth, type MemoryKind, type MemorySample } from './trend.js';
import { SHARED_THREADS } from './workers.js';

/** Smaller than the models, so that entries are evicted. */
const CACHE_BYTES = 2 ** 20;

const POOL_THREADS = 2;

export interface SoakOptions {
  readonly seed: number;
  readonly size: RoundSize;
  /** New and empty. */
  readonly folder: string;
  /** A job that takes longer hangs, and what does not end in this time is left. */
  readonly patienceMs: number;
  /** Names of faults of `planted.ts`: each is one more job in each round. */
  readonly planted: readonly string[];
  readonly found: (finding: Finding) => void;
}

/** Rounds of jobs, and what is checked after each. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #stage: Stage;
  readonly #replacements: readonly Replacement[];
  readonly #gauges: Gauges;
  readonly #outcomes = new Map<Outcome, number>();
  readonly #samples: MemorySample[] = [];
  /** Unhandled rejections and warnings of the round. */
  readonly #unhandled: unknown[] = [];
  #server: Report['server'] = { requests: 0, faults: 0, sentBytes: 0 };
  #rounds = 0;

  static async open(options: SoakOptions): Promise<Soak> {
    const { folder, size } = options;
    const readsModels = size.models + size.streams > 0;
    const { models, files } = readsModels ? await storedModels() : { models: [], files: new Map() };
    mkdirSync(join(folder, 'models'));
    for (const [name, bytes] of files) {
      mkdirSync(dirname(join(folder, 'models', name)), { recursive: true });
      writeFileSync(join(folder, 'models', name), bytes);
    }
    const more = readsModels ? await servedFiles() : {};
    const served = new Map([...files, ...Object.entries(more), [PLANTED_FILE, new Uint8Array(1000)]]);
    const server = await SoakServer.start(served);
    const cache = openCache(await folderStore(join(folder, 'cache')), { maxSize: CACHE_BYTES });
    const pool = new WorkerPool(POOL_THREADS);
    const stage = { models, files: served, folder: join(folder, 'models'), server, cache, pool };
    return new Soak(options, stage, size.files > 0 ? await replacements(join(folder, 'replaced')) : []);
  }

  private constructor(options: SoakOptions, stage: Stage, replaced: readonly Replacement[]) {
    this.#options = options;
    this.#stage = stage;
    this.#replacements = replaced;
    this.#gauges = new Gauges(stage.server, options.folder, options.patienceMs);
    for (const event of ['unhandledRejection', 'warning'] as const) {
      process.on(event, (reason) => this.#unhandled.push(reason));
    }
  }

  get rounds(): number {
    return this.#rounds;
  }

  get report(): Report {
    const half = this.#samples[Math.floor(this.#samples.length / 2)];
    const memory = half === undefined ? undefined : ([half, this.#samples.at(-1)!] as const);
    return { rounds: this.#rounds, outcomes: this.#outcomes, server: this.#server, memory };
  }

  /**
   * Runs the jobs of a round at the same time, and checks what they leave.
   * @param only of these jobs, the one with this number
   * @returns false when a job hangs, so that nothing after it can be checked
   */
  async round(round: number, only?: number): Promise<boolean> {
    const { seed, size, planted } = this.#options;
    const seedOf = (job: number) => ((Math.imul(seed, 31) >>> 0) + round) * 1009 + job;
    const jobs = jobsOf(this.#stage, this.#replacements, size, seedOf);
    for (const name of planted) jobs.push(plantedJob(name, this.#stage));
    const chosen = [...jobs.entries()].filter(([number]) => only === undefined || number === only);
    const ended = await Promise.all(chosen.map(([number, job]) => this.#run(job, `${round}.${number}`)));
    if (ended.includes(false)) return false;
    await this.#check(String(round), SHARED_THREADS + POOL_THREADS);
    this.#samples.push(await measureMemory());
    this.#rounds += 1;
    return true;
  }

  /** Checks what only the end shows: memory over all rounds, and threads. */
  async close(): Promise<void> {
    for (const kind of Object.keys(MAX_GROWTH) as MemoryKind[]) {
      const grown = growth(this.#samples.map((sample) => sample[kind]));
      if (grown === undefined || grown <= MAX_GROWTH[kind]) continue;
      this.#found(kind, undefined, `grew by ${grown.toFixed(0)} bytes, the bound is ${MAX_GROWTH[kind]}`);
    }
    this.#stage.pool.close();
    await this.#check(undefined, 0);
    await this.#stage.server[Symbol.asyncDispose]();
  }

  async #check(step: string | undefined, threads: number): Promise<void> {
    for (const { check, what } of await this.#gauges.left(threads)) this.#found(check, step, what);
    this.#server = await this.#stage.server.look({ forget: true });
    for (const reason of this.#unhandled.splice(0)) this.#found('rejection', step, textOf(reason));
  }

  /** @returns whether it ended */
  async #run({ name, run }: Job, step: string): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const hangs = new Promise<'hangs'>((resolve) => {
      timer = setTimeout(resolve, this.#options.patienceMs, 'hangs');
    });
    try {
      const outcome = await Promise.race([run(), hangs]);
      if (outcome === 'hangs') this.#found('end', step, `${name}: does not end`);
      else this.#outcomes.set(outcome, 1 + (this.#outcomes.get(outcome) ?? 0));
      return outcome !== 'hangs';
    } catch (error) {
      this.#found('result', step, `${name}: ${textOf(error)}`);
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  #found(check: Check, step: string | undefined, what: string): void {
    this.#options.found({ check, step, what });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

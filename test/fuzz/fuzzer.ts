import { Random } from '../helpers/random.js';
import type { BlockCoverage } from './coverage.js';
import { judge, learn } from './judge.js';
import { type Attempt, Pool } from './pool.js';
import type { Target } from './target.js';

/** Inputs between two looks at the coverage, while they find nothing new. */
const MAX_BATCH = 64;

/** What has been tried of one target. */
export interface TargetStats {
  readonly name: string;
  readonly inputs: number;
  readonly accepted: number;
  /** Of processor time. */
  readonly seconds: number;
  /** Inputs that mutations start from. */
  readonly pool: number;
  /** Most processor time, in seconds, and memory, in bytes, that an input took. */
  readonly slowest: number;
  readonly largest: number;
}

export interface FuzzStats {
  readonly targets: readonly TargetStats[];
  readonly coverage: BlockCoverage['totals'];
}

export interface FuzzerHooks {
  /** Called before inputs are made: what ends the process then is no input. */
  mutating(): void;
  /** Called before each input is read, because reading it may end the process. */
  before(target: Target, attempt: Attempt): void;
  found(target: Target, attempt: Attempt, fault: string): void;
}

/** A target at work. */
class Work {
  readonly pool: Pool;
  inputs = 0;
  accepted = 0;
  seconds = 0;
  slowest = 0;
  largest = 0;
  batch = 1;

  constructor(target: Target) {
    this.pool = new Pool(target);
  }
}

/**
 * Mutates inputs of targets, one target after another. An input that reaches new code, or has a new outcome, joins those
 * that mutations start from.
 */
export class Fuzzer {
  readonly #random: Random;
  readonly #coverage: BlockCoverage;
  readonly #hooks: FuzzerHooks;
  readonly #work: readonly Work[];

  constructor(targets: readonly Target[], seed: number, coverage: BlockCoverage, hooks: FuzzerHooks) {
    this.#random = new Random(seed);
    this.#coverage = coverage;
    this.#hooks = hooks;
    this.#work = targets.map((target) => new Work(target));
  }

  get stats(): FuzzStats {
    const targets = this.#work.map(({ pool, batch: _, ...counts }) => ({
      name: pool.target.name,
      pool: pool.size,
      ...counts,
    }));
    return { targets, coverage: this.#coverage.totals };
  }

  /** Reads the good inputs, and those of the corpus. */
  async begin(corpus: (target: string) => readonly Uint8Array[]): Promise<void> {
    for (const work of this.#work) {
      const { target } = work.pool;
      await learn(target);
      this.#coverage.take(true);
      for (const input of corpus(target.name)) await this.#tryAlone(work, { input, damaged: undefined });
    }
  }

  /** Tries inputs of all targets, each for some milliseconds. */
  async round(milliseconds: number): Promise<void> {
    for (const work of this.#work) {
      const start = performance.now();
      const before = process.cpuUsage();
      do await this.#batch(work);
      while (performance.now() - start < milliseconds);
      const { user, system } = process.cpuUsage(before);
      work.seconds += (user + system) / 1e6;
    }
  }

  /** The smallest inputs of a target that reach, beyond its seeds, all that has been reached. */
  async reduced(name: string): Promise<readonly Uint8Array[]> {
    const { target, added } = this.#work.find(({ pool }) => pool.target.name === name)!.pool;
    this.#coverage.forget();
    const work = new Work(target);
    for (const { bytes } of target.seeds) await this.#try(work, { input: bytes, damaged: undefined });
    this.#coverage.take(true);
    work.pool.added.length = 0;
    const smallFirst = added.toSorted((a, b) => a.length - b.length);
    for (const input of smallFirst) await this.#tryAlone(work, { input, damaged: undefined });
    return work.pool.added;
  }

  async #batch(work: Work): Promise<void> {
    this.#hooks.mutating();
    const attempts = Array.from({ length: work.batch }, () => work.pool.next(this.#random));
    for (const attempt of attempts) {
      work.inputs += 1;
      if (await this.#try(work, attempt)) work.accepted += 1;
    }
    if (this.#coverage.take(attempts.length === 1) === 0) {
      work.batch = Math.min(2 * work.batch, MAX_BATCH);
      return;
    }
    work.batch = Math.ceil(work.batch / 4);
    // Which of them it was shows when they are read again, one by one.
    if (attempts.length === 1) work.pool.add(attempts[0]!.input);
    else for (const attempt of attempts) await this.#tryAlone(work, attempt);
  }

  async #tryAlone(work: Work, attempt: Attempt): Promise<void> {
    this.#coverage.take(false);
    await this.#try(work, attempt);
    if (this.#coverage.take(true) > 0) work.pool.add(attempt.input);
  }

  /** @returns whether the input was accepted */
  async #try(work: Work, attempt: Attempt): Promise<boolean> {
    const { pool } = work;
    const { target } = pool;
    this.#hooks.before(target, attempt);
    const verdict = await judge(target, attempt.input, attempt.damaged);
    const { fault, accepted, outcome } = verdict;
    work.slowest = Math.max(work.slowest, verdict.seconds);
    work.largest = Math.max(work.largest, verdict.requested);
    if (fault !== undefined) this.#hooks.found(target, attempt, fault);
    if (pool.isNew(outcome)) pool.add(attempt.input);
    return accepted;
  }
}

import type { Random } from '../helpers/random.js';
import { damage, MAX_INPUT, mutate } from './mutate/mutate.js';
import type { Seed, Target } from './target.js';

/** Most inputs of a target that mutations start from. */
const MAX_POOL = 4000;

/** An input, and the seed that it is a damaged copy of, if it is one. */
export interface Attempt {
  readonly input: Uint8Array;
  readonly damaged: Seed | undefined;
}

/** The inputs of a target that mutations start from: seeds, the corpus, and what a run adds to them. */
export class Pool {
  readonly target: Target;
  /** What was added, in the order in which it was found. */
  readonly added: Uint8Array[] = [];
  readonly #inputs: Uint8Array[];
  readonly #sealed: readonly Seed[];
  readonly #outcomes = new Set<string>();

  constructor(target: Target) {
    this.target = target;
    this.#inputs = target.seeds.map(({ bytes }) => bytes);
    this.#sealed = target.seeds.filter(({ sealed }) => sealed);
  }

  get size(): number {
    return this.#inputs.length;
  }

  next(random: Random): Attempt {
    if (this.#sealed.length > 0 && random.once(6)) {
      const seed = random.pick(this.#sealed);
      return { input: damage(seed.bytes, random), damaged: seed };
    }
    const input = mutate(this.target.anatomy, this.#pick(random), this.#pick(random), random);
    return { input, damaged: undefined };
  }

  add(input: Uint8Array): void {
    if (input.length > MAX_INPUT || this.size >= MAX_POOL || this.added.at(-1) === input) return;
    this.#inputs.push(input);
    this.added.push(input);
  }

  /** Whether no input before had this outcome. */
  isNew(outcome: string): boolean {
    if (this.#outcomes.has(outcome)) return false;
    this.#outcomes.add(outcome);
    return true;
  }

  /** A good input, or any; one that was added lately more often. */
  #pick(random: Random): Uint8Array {
    if (random.once(4)) return random.pick(this.target.seeds).bytes;
    if (random.once(2)) return random.pick(this.#inputs.slice(-16));
    return random.pick(this.#inputs);
  }
}

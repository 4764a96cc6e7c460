import { createHash } from 'node:crypto';
import { HolostreamError } from '../../src/errors.js';
import { takeRequested } from './allocations.js';
import { Arena } from './arena.js';
import type { Reading, Seed, Target, Way } from './target.js';

/** Reads an input in all ways and checks what must hold for every input. */

/** See {@link Target.seconds}. */
const MAX_SECONDS = 2;

/** Numbers of two ways may differ by this share of the largest. */
const TOLERANCE = 1e-3;

/** Messages show values from files; they are cut short. */
const MAX_MESSAGE = 4000;

/** Of a sentence that tells outcomes apart: what follows may come from the input. */
const MAX_REASON = 60;

export interface Verdict {
  /** What does not hold; undefined if all does. */
  readonly fault: string | undefined;
  readonly accepted: boolean;
  /** The same for inputs that are accepted, or refused for the same reasons. */
  readonly outcome: string;
  /** Of processor time, in all ways. */
  readonly seconds: number;
  /** Bytes of memory, of the way that requested most. */
  readonly requested: number;
}

type Outcome = { readonly reading: Reading } | { readonly error: unknown };

/**
 * @param damaged the seed that the input is a damaged copy of: if its checksums do not refuse it, it must be read as the
 *   seed is
 */
export async function judge(target: Target, input: Uint8Array, damaged?: Seed): Promise<Verdict> {
  const hash = createHash('sha1').update(input).digest();
  const ways = target.ways.filter(({ every = 1 }) => hash[0]! % every === 0);
  const start = process.cpuUsage();
  const outcomes: [Way, Outcome][] = [];
  let fault: string | undefined;
  let requested = 0;
  for (const way of ways) {
    const one = await read(target, way, input, hash[1]!);
    outcomes.push([way, one.outcome]);
    fault ??= one.fault;
    requested = Math.max(requested, one.requested);
  }
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  if (seconds > (target.seconds ?? MAX_SECONDS)) fault ??= `it takes ${seconds.toFixed(1)} s`;
  fault ??= disagreement(outcomes);
  const first = outcomes[0]![1];
  if (damaged !== undefined && 'reading' in first) fault ??= await difference(target, damaged, first.reading);
  const refused = outcomes.filter(([, outcome]) => 'error' in outcome);
  for (const [way] of refused) fault ??= await aftermath(target, way);
  const outcome = outcomes
    .map(([way, result]) => `${way.name}: ${describe(result)}`)
    .join('; ')
    .replace(/\d+/g, '0');
  return { fault, accepted: refused.length < outcomes.length, outcome, seconds, requested };
}

/** One way's outcome, and what is wrong with it alone. */
async function read(
  target: Target,
  way: Way,
  input: Uint8Array,
  skew: number,
): Promise<{ outcome: Outcome; fault: string | undefined; requested: number }> {
  const arena = new Arena(input, skew);
  const bound = target.memory(input);
  takeRequested();
  let outcome: Outcome;
  try {
    outcome = { reading: await way.read(arena.input, arena) };
  } catch (error) {
    outcome = { error };
  }
  const requested = takeRequested();
  let fault = arena.fault() ?? ('error' in outcome ? errorFault(outcome.error) : undefined);
  if (requested > bound) fault ??= `it requests ${requested} bytes of memory, the bound is ${bound}`;
  return { outcome, fault: fault && `${way.name}: ${fault}`, requested };
}

function errorFault(error: unknown): string | undefined {
  if (!(error instanceof HolostreamError)) {
    return `throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { message, name } = error;
  if (name === 'ArgumentError') return `throws an ArgumentError for what a file says: ${error.stack}`;
  if (!message.startsWith('Cannot ') || message.length > MAX_MESSAGE || /\p{Cc}/u.test(message)) {
    return `throws an error with a bad message: ${JSON.stringify(message.slice(0, 500))}`;
  }
  return undefined;
}

function disagreement(outcomes: readonly [Way, Outcome][]): string | undefined {
  const [first, ...others] = outcomes;
  if (first === undefined) return undefined;
  for (const other of others) {
    const reason = differs(first[1], other[1]);
    if (reason !== undefined) {
      const ways = [first, other].map(([{ name }, outcome]) => `${name}: ${describe(outcome)}`);
      return `two ways disagree (${reason}): ${ways.join('; ')}`;
    }
  }
  return undefined;
}

function differs(a: Outcome, b: Outcome): string | undefined {
  if ('error' in a || 'error' in b) {
    return 'error' in a && 'error' in b ? undefined : 'one accepts, one refuses';
  }
  return readingsDiffer(a.reading, b.reading);
}

function readingsDiffer(a: Reading, b: Reading): string | undefined {
  if (a.facts !== undefined && b.facts !== undefined && a.facts !== b.facts) {
    return `facts ${a.facts.slice(0, 300)} and ${b.facts.slice(0, 300)}`;
  }
  if (a.content !== undefined && b.content !== undefined && Buffer.compare(a.content, b.content) !== 0) {
    return 'bytes';
  }
  if (a.numbers !== undefined && b.numbers !== undefined && !close(a.numbers, b.numbers)) return 'numbers';
  return undefined;
}

/** The same up to rounding; nothing is said of numbers that overflow. */
function close(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  let largest = 0;
  for (const value of a) largest = Math.max(largest, Math.abs(value));
  for (const value of b) largest = Math.max(largest, Math.abs(value));
  if (!(largest < 1e30)) return true;
  return a.every((value, i) => Math.abs(value - b[i]!) <= TOLERANCE * largest);
}

/** After a refusal, the same way must still read a good input. */
async function aftermath(target: Target, way: Way): Promise<string | undefined> {
  const seed = target.seeds[0]!;
  const expected = await goodReading(target, seed, way);
  const { outcome, fault } = await read(target, way, seed.bytes, 0);
  const reason = fault ?? differs({ reading: expected }, outcome);
  return reason && `after a refusal, ${way.name} no longer reads ${seed.name}: ${reason}`;
}

async function difference(target: Target, seed: Seed, reading: Reading): Promise<string | undefined> {
  const expected = await goodReading(target, seed, target.ways[0]!);
  const { facts, content, numbers } = expected;
  const reason = readingsDiffer({ facts: seed.factsSealed ? facts : undefined, content, numbers }, reading);
  return reason && `a damaged copy of ${seed.name} is read as something else: ${reason}`;
}

const readings = new Map<Target, Map<string, Reading>>();

/** The reading of a seed, made once, before any bad input can have an effect. */
async function goodReading(target: Target, seed: Seed, way: Way): Promise<Reading> {
  let known = readings.get(target);
  if (known === undefined) {
    known = new Map();
    readings.set(target, known);
  }
  const key = `${seed.name}, ${way.name}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const { outcome, fault } = await read(target, way, seed.bytes, 0);
  if (fault !== undefined || 'error' in outcome) {
    throw new Error(`Cannot fuzz ${target.name}: ${key}: ${fault ?? describe(outcome)}`);
  }
  known.set(key, outcome.reading);
  return outcome.reading;
}

/** Learns how good inputs are read, before the first bad one. */
export async function learn(target: Target): Promise<void> {
  const names = new Set(target.seeds.map(({ name }) => name));
  if (names.size < target.seeds.length)
    throw new Error(`Cannot fuzz ${target.name}: two seeds have one name`);
  for (const seed of target.seeds) {
    for (const way of target.ways) await goodReading(target, seed, way);
    const { fault } = await judge(target, seed.bytes);
    if (fault !== undefined) throw new Error(`Cannot fuzz ${target.name}: the seed ${seed.name}: ${fault}`);
  }
}

function describe(outcome: Outcome): string {
  if ('reading' in outcome) return 'accepts';
  const { error } = outcome;
  return error instanceof HolostreamError
    ? `${error.name}, ${error.what.slice(0, MAX_REASON)}`
    : String(error);
}

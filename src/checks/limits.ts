import { type ErrorDetails, LimitError } from '../errors.js';
import type { AbortOptions } from './abortOptions.js';
import { check, number, object, oneOf, type Rules } from './options.js';

/**
 * The most that a file or server may cause. Each entry is checked before memory is allocated or a request is sent; beyond
 * it, a LimitError names the entry. `Infinity` is no limit.
 */
export interface Limits {
  /** Bytes of one tensor, and of one part of it (a block, a fragment). Default 2^32 (4 GiB). */
  readonly tensorBytes?: number | undefined;
  /**
   * Bytes of all tensors that one call or model holds. Default 2^36 (64 GiB) in Node, Deno and Bun, 2^33 (8 GiB) in
   * browsers.
   */
  readonly totalBytes?: number | undefined;
  /** Bytes of a header or index: what precedes the data of a file. Default 100,000,000, as safetensors has it. */
  readonly headerBytes?: number | undefined;
  /** Bytes of a manifest or shard index. Default 2^26 (64 MiB). */
  readonly manifestBytes?: number | undefined;
  /** Tensors of a file or model; in a model file, each piece is one. Default 2^20. */
  readonly tensors?: number | undefined;
  /** Fragments of one tensor. Default 65,535, the most that the format can number. */
  readonly fragments?: number | undefined;
  /** Dimensions of a tensor. Default 64, as in PyTorch and NumPy. */
  readonly rank?: number | undefined;
  /** Requests that one call has open at a time. Default 6. */
  readonly concurrency?: number | undefined;
  /**
   * Bytes of memory for each byte received, beyond the first 64 MiB; decoders may take time in proportion. Default 1024.
   */
  readonly ratio?: number | undefined;
}

/** The option of everything that opens or decodes. */
export interface LimitsOption {
  /** The most that the input may cause; entries that are not given have their defaults. */
  readonly limits?: Limits | undefined;
}

export const LIMIT_RULES: Rules<LimitsOption> = {
  limits: (limits) => void limitsOf({ limits: limits as Limits }),
};

export interface OpenOptions extends AbortOptions, LimitsOption {}

/** All limits, with the defaults of those that a caller did not give. */
export type AllLimits = { readonly [Name in keyof Limits]-?: number };

const IN_BROWSER = globalThis.process?.versions?.node === undefined;

const DEFAULTS: AllLimits = {
  tensorBytes: 2 ** 32,
  headerBytes: 100_000_000,
  manifestBytes: 2 ** 26,
  tensors: 2 ** 20,
  fragments: 65_535,
  rank: 64,
  concurrency: 6,
  ratio: 1024,
  totalBytes: IN_BROWSER ? 2 ** 33 : 2 ** 36,
};

/** @throws ArgumentError for an unknown entry, and for one that is not a number from 0 (of concurrency, from 1) */
export function limitsOf(options: LimitsOption = {}): AllLimits {
  check('options', options, object);
  const { limits } = options;
  // As most calls have it, of which a file may take many.
  if (limits === undefined) return DEFAULTS;
  check('limits', limits, object);
  const all: Record<string, number> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    // One that is misspelled would protect nothing.
    check('limits', name, oneOf(Object.keys(all)));
    check(`limits.${name}`, value, number(name === 'concurrency' ? 1 : 0));
    all[name] = value;
  }
  return all as AllLimits;
}

/**
 * @param what begins the sentence of the error
 * @throws LimitError that names the limit
 */
export function checkLimit(
  limits: AllLimits,
  name: keyof Limits,
  actual: number,
  what: string,
  details?: ErrorDetails,
): void {
  if (actual > limits[name]) throw beyondLimit(limits, name, what, { ...details, actual });
}

/** The error of {@link checkLimit}. */
export function beyondLimit(
  limits: AllLimits,
  name: keyof Limits,
  what: string,
  details?: ErrorDetails,
): LimitError {
  return new LimitError(`${what} (option limits.${name})`, {
    ...details,
    expected: `at most ${limits[name]}`,
  });
}

/**
 * @param place the name of the tensor, or that and its file
 * @throws LimitError when a tensor has more bytes than `limits.tensorBytes`
 */
export function checkTensorBytes(
  limits: AllLimits,
  byteLength: number,
  place?: string | Pick<ErrorDetails, 'tensor' | 'file'>,
): void {
  const details = typeof place === 'string' ? { tensor: place } : place;
  checkLimit(limits, 'tensorBytes', byteLength, 'Cannot allocate the tensor: it is too large', details);
}

/** @throws LimitError when tensors that are held together have more bytes than `limits.totalBytes` */
export function checkTotalBytes(limits: AllLimits, byteLength: number): void {
  checkLimit(limits, 'totalBytes', byteLength, 'Cannot allocate the tensors: together they are too large');
}

/** Memory that needs no bytes received: a file of a tensor that is all zero is as small as files can be. */
const FREE_BYTES = 2 ** 26;

/** Steps that may be taken for each byte of memory. */
const STEPS_PER_BYTE = 16;

/** What a decoder takes beside its output. It states this before it starts. */
export interface Cost {
  /** Memory, in bytes: plans of transforms, tables, matrices. */
  readonly bytes: number;
  /** Elementary operations; portable code does about one in a nanosecond. */
  readonly steps: number;
}

export const NO_COST: Cost = { bytes: 0, steps: 0 };

/** What the bytes that have been received pay for, by `limits.ratio`: memory, and time. */
export class Budget {
  limits: AllLimits;
  /** Bytes. */
  received: number;
  #held = 0;
  #spent = 0;

  constructor(limits: AllLimits, received = 0) {
    this.limits = limits;
    this.received = received;
  }

  /** Bytes of memory that are paid for. */
  get most(): number {
    return FREE_BYTES + Math.max(1, this.received) * this.limits.ratio;
  }

  /** @throws LimitError unless the cost is paid for, beside the memory that is held */
  check(cost: Cost): void {
    const refusal = this.#refusal(cost);
    if (refusal !== undefined) throw refusal;
  }

  /** Whether {@link check} does not throw. */
  pays(cost: Cost): boolean {
    return this.#refusal(cost) === undefined;
  }

  /** The same for memory that stays in use, and for steps that all bytes together pay for. */
  spend(cost: Cost): void {
    const refusal = this.trySpend(cost);
    if (refusal !== undefined) throw refusal;
  }

  /** As {@link spend}. @returns the error where the cost is not paid for: more bytes may come */
  trySpend({ bytes, steps }: Cost): LimitError | undefined {
    const refusal = this.#refusal({ bytes, steps: this.#spent + steps });
    if (refusal !== undefined) return refusal;
    this.#held += bytes;
    this.#spent += steps;
    return undefined;
  }

  #refusal({ bytes, steps }: Cost): LimitError | undefined {
    const { most } = this;
    const memory = this.#held + bytes;
    const mostSteps = STEPS_PER_BYTE * most;
    if (memory <= most && steps <= mostSteps) return undefined;
    return new LimitError(
      'Cannot decode the tensor: it takes too much memory or time for the bytes received (option limits.ratio)',
      {
        expected: `at most ${most} bytes and ${mostSteps} steps`,
        actual: `${memory} bytes and ${steps} steps`,
      },
    );
  }
}

/**
 * What `make` makes.
 * @throws LimitError when the engine has no memory for it
 */
export function allocating<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw allocationFailure(error);
  }
}

/** The LimitError in place of the RangeError of an engine that has no memory; any other error as it is. */
export function allocationFailure(cause: unknown): unknown {
  if (!(cause instanceof RangeError)) return cause;
  return new LimitError('Cannot allocate memory: the engine has no more', { cause });
}

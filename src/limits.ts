import { ArgumentError, type ErrorDetails, LimitError } from './errors.js';
import { escapeText } from './show.js';
import type { AbortOptions } from './source.js';

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
}

/** The option of everything that opens or decodes. */
export interface LimitsOption {
  /** The most that the input may cause; entries that are not given have their defaults. */
  readonly limits?: Limits | undefined;
}

export interface OpenOptions extends AbortOptions, LimitsOption {}

/** All limits, with the defaults of those that a caller did not give. */
export type AllLimits = { readonly [Name in keyof Limits]-?: number };

const DEFAULTS = {
  tensorBytes: 2 ** 32,
  headerBytes: 100_000_000,
  manifestBytes: 2 ** 26,
  tensors: 2 ** 20,
  fragments: 65_535,
  rank: 64,
  concurrency: 6,
};

/** @throws ArgumentError for an unknown entry, and for one that is not a number from 0 (of concurrency, from 1) */
export function limitsOf({ limits = {} }: LimitsOption = {}): AllLimits {
  const inBrowser = globalThis.process?.versions?.node === undefined;
  const all: Record<string, number> = { ...DEFAULTS, totalBytes: inBrowser ? 2 ** 33 : 2 ** 36 };
  for (const [name, value] of Object.entries(Object(limits) === limits ? limits : { limits })) {
    if (value === undefined) continue;
    const least = name === 'concurrency' ? 1 : 0;
    if (!Object.hasOwn(all, name) || typeof value !== 'number' || !(value >= least)) {
      throw new ArgumentError(`Cannot use the limit ${escapeText(name)}`, {
        expected: `a number from ${least}; the limits are ${Object.keys(all).join(', ')}`,
        actual: value,
      });
    }
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

/** @throws LimitError when a tensor has more bytes than `limits.tensorBytes` */
export function checkTensorBytes(limits: AllLimits, byteLength: number, name?: string): void {
  checkLimit(limits, 'tensorBytes', byteLength, 'Cannot allocate the tensor: it is too large', { name });
}

/** @throws LimitError when tensors that are held together have more bytes than `limits.totalBytes` */
export function checkTotalBytes(limits: AllLimits, byteLength: number): void {
  checkLimit(limits, 'totalBytes', byteLength, 'Cannot allocate the tensors: together they are too large');
}

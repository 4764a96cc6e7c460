import { InvalidArgumentError } from 'commander';
import type { Shard } from '../bulk/index.js';
import { isPlainFileName } from '../models/directory/fileNames.js';
import { type NamePattern, patternOf } from '../models/namePattern.js';
import type { TensorOrder } from '../models/tensorWeight.js';
import { type Limits, limitsOf } from '../src/checks/limits.js';
import type { CompressionAlgorithm } from '../src/codecs/codec.js';
import type { HolographicEncoding } from '../src/encodings/encoding.js';
import { HOLO_MAX_FRAGMENTS } from '../src/holotensor/constants.js';
import { DTYPES, type DType } from '../src/tensor/dtype.js';
import { MAX_THREADS } from '../workers/task.js';
import type { OutputChoice } from './output.js';

/** The options of `encode`; which of them apply depends on the output. */
export interface EncodeOptions extends OutputChoice {
  readonly dryRun?: true;
  readonly tensor?: string;
  readonly dtype?: DType;
  readonly shape?: readonly number[];
  readonly algorithm?: CompressionAlgorithm;
  readonly level?: number;
  readonly hctVersion?: '1' | '2';
  readonly blockSize?: number;
  readonly blockChecksums: boolean;
  readonly encoding?: HolographicEncoding;
  readonly fragments?: number;
  readonly qualities?: readonly (number | 'exact')[];
  readonly layout?: 'raster' | 'ranked' | 'essential' | 'sequential' | 'interleaved';
  readonly rank?: number;
  readonly residual?: true;
  readonly seed?: bigint;
  readonly keep?: readonly NamePattern[];
  readonly order?: TensorOrder;
  readonly importance?: string;
  readonly weightsName?: string;
  readonly resume?: true;
  readonly workers?: number;
}

export type EncodeOptionName = Exclude<keyof EncodeOptions, keyof OutputChoice | 'dryRun'>;

/** An option of all commands that decode. */
export interface LimitChoice {
  readonly limit?: Limits;
}

/** hctVersion → --hct-version */
export function flagOf(name: EncodeOptionName): string {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === 'blockChecksums' ? `--no-${kebab}` : `--${kebab}`;
}

/** Parsers of option values, for commander. */

export function dtype(text: string): DType {
  const found = DTYPES.find((known) => known === text.toUpperCase());
  if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${DTYPES.join(', ')}.`);
  return found;
}

/** "64,48" or "64x48"; an empty text is the shape of a single number. */
export function shape(text: string): number[] {
  return text === '' ? [] : text.split(/[,x]/).map(naturalNumber);
}

export function positiveInteger(text: string): number {
  const value = naturalNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

export function port(text: string): number {
  const value = naturalNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('It must be at most 65535.');
  return value;
}

/** Bytes per second: 500000, or 1e6. */
export function rate(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError('It must be a number of bytes per second, at least 1.');
  }
  return value;
}

/** 0 for none beside the main thread. */
export function threadCount(text: string): number {
  const value = naturalNumber(text);
  if (value > MAX_THREADS) throw new InvalidArgumentError(`It must be at most ${MAX_THREADS}.`);
  return value;
}

/** Level 0 means "default" to Zstd, negative ones and those above 19 need other memory: left out. */
export function zstdLevel(text: string): number {
  const value = naturalNumber(text);
  if (value < 1 || value > 19) throw new InvalidArgumentError('It must be from 1 to 19.');
  return value;
}

/** At most as many as the format can number. */
export function fragmentCount(text: string): number {
  const value = positiveInteger(text);
  if (value > HOLO_MAX_FRAGMENTS) throw new InvalidArgumentError(`It must be at most ${HOLO_MAX_FRAGMENTS}.`);
  return value;
}

/** A pattern of names; the option may be repeated. */
export function pattern(text: string, earlier: readonly NamePattern[] = []): NamePattern[] {
  return [...earlier, patternOf(text)];
}

/** Of a file in a folder that is chosen elsewhere. */
export function fileName(text: string): string {
  if (isPlainFileName(text)) return text;
  throw new InvalidArgumentError('It must be the name of a file, without a folder.');
}

/** Any 64 bits: 7, or 0x9e3779b9. */
export function seed(text: string): bigint {
  if (/^(\d+|0x[0-9a-f]+)$/i.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new InvalidArgumentError('It must be a whole number below 2^64.');
}

/** "0,3,5", or "0-2,7" */
export function fragmentList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, from, to] = /^(\d+)-(\d+)$/.exec(part.trim()) ?? [];
    if (from === undefined || to === undefined) return naturalNumber(part);
    const [first, last] = [naturalNumber(from), naturalNumber(to)];
    if (last < first) throw new InvalidArgumentError('A range goes from the smaller to the larger number.');
    if (last >= HOLO_MAX_FRAGMENTS) {
      throw new InvalidArgumentError(`The last fragment of any file is ${HOLO_MAX_FRAGMENTS - 1}.`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** "0/8", the first of eight. */
export function shard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (count !== undefined && Number(index) < Number(count))
    return { index: Number(index), count: Number(count) };
  throw new InvalidArgumentError('It must be a number from 0, /, and how many shards there are: 0/8 to 7/8.');
}

/** "ratio=4096"; the option may be repeated. */
export function limit(text: string, earlier: Limits = {}): Limits {
  const [, name, value] = /^(\w+)=(\S+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It must be a name, = and a number.');
  try {
    const limits = { ...earlier, [name]: Number(value) };
    limitsOf({ limits });
    return limits;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A cosine similarity to reach. */
export function quality(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1)) {
    throw new InvalidArgumentError('It must be above 0 and at most 1.');
  }
  return value;
}

/** A cosine similarity that something incomplete has. */
export function cosine(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < 1)) {
    throw new InvalidArgumentError('It must be above 0 and below 1.');
  }
  return value;
}

/** "0.5,0.9,0.99,exact" */
export function qualities(text: string): (number | 'exact')[] {
  return text.split(',').map((part) => (part === 'exact' ? part : quality(part)));
}

/** The same for an encoder, which ends fragments there. */
export function cuts(text: string): (number | 'exact')[] {
  const list = qualities(text);
  const numbers = list.filter((one) => one !== 'exact');
  if (numbers.some((one, i) => one === 1 || one <= (numbers[i - 1] ?? 0))) {
    throw new InvalidArgumentError('They must rise, and be below 1; "exact" is the end.');
  }
  return list;
}

export function oneOf<T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${allowed.join(', ')}.`);
    return found;
  };
}

function naturalNumber(text: string): number {
  const value = Number(text);
  if (!/^\s*\d+\s*$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return value;
}

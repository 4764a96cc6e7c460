/** Parsers of option values. */

import { InvalidArgumentError } from 'commander';
import { DTYPES, type DType } from '../src/dtype.js';

export function dtype(text: string): DType {
  const found = DTYPES.find((known) => known === text.toUpperCase());
  if (found === undefined) throw new InvalidArgumentError(`Allowed are ${DTYPES.join(', ')}.`);
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

/** Level 0 means "default" to Zstd, negative ones and those above 19 need other memory: left out. */
export function zstdLevel(text: string): number {
  const value = naturalNumber(text);
  if (value < 1 || value > 19) throw new InvalidArgumentError('It must be from 1 to 19.');
  return value;
}

function naturalNumber(text: string): number {
  const value = Number(text);
  if (!/^\s*\d+\s*$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return value;
}

import { readFile } from 'node:fs/promises';
import { factorOf, patternOf } from '../../models/namePattern.js';
import { parseJson } from '../../src/bytes/json.js';
import { FormatError } from '../../src/errors.js';

/** Far more than the names of any model take. */
const MAX_BYTES = 64 << 20;

export interface Importance {
  /** By names and patterns. */
  readonly factors: ReadonlyMap<string, number>;
  /** The factor of a tensor, if the file has one. */
  of(name: string): number | undefined;
  /** Names and patterns of the file that are of none of these tensors. */
  unused(names: readonly string[]): string[];
}

const WHAT = 'Cannot read the importance of tensors';

/**
 * Factors of the weights of tensors, from a file of JSON: `{ "lm_head.weight": 4, "*.bias": 0.5 }`. A name counts
 * before patterns, and of patterns the first that matches.
 * @throws FormatError, LimitError
 */
export async function readImportance(path: string): Promise<Importance> {
  const value = parseJson(await readFile(path), WHAT, MAX_BYTES, path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${WHAT}: it is not an object`, { name: path, actual: value });
  }
  const factors = new Map<string, number>();
  for (const [pattern, factor] of Object.entries(value)) {
    if (!(typeof factor === 'number' && factor >= 0)) {
      const name = `${path}: ${pattern}`;
      throw new FormatError(`${WHAT}: invalid factor`, { name, expected: '0 or more', actual: factor });
    }
    factors.set(pattern, factor);
  }
  const patterns = Array.from(factors.keys(), patternOf);
  return {
    factors,
    of: factorOf(factors),
    unused: (names) =>
      patterns.flatMap((pattern) => (names.some((name) => pattern.test(name)) ? [] : [pattern.text])),
  };
}

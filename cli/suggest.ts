import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { argumentPlace } from '../sources/hub.js';
import { quote } from '../src/errors/show.js';
import { SourceError } from '../src/errors.js';
import { DataError, UsageError } from './failure.js';

/** Names in one message. */
const MAX_LISTED = 8;
/** Names that are compared, and characters of each: hostile files have many and long ones. */
const MAX_CANDIDATES = 10_000;
const MAX_LENGTH = 200;

/** The candidate that is most like a name with a typing error; undefined when none is. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  // A third of the characters may be wrong.
  let least = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const edits = distance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Insertions, deletions, replacements, and exchanges of neighbours. */
function distance(a: string, b: string): number {
  let [before, last] = [
    new Array<number>(b.length + 1).fill(0),
    Array.from({ length: b.length + 1 }, (_, j) => j),
  ];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** What to say of the names that there are: the one that was meant, or all of them where they are few. */
export function hint(name: string | undefined, names: readonly string[]): string {
  const meant = name === undefined ? undefined : closest(name, names);
  if (meant !== undefined) return `did you mean ${quote(meant)}?`;
  return names.length <= MAX_LISTED
    ? `it has ${names.map(quote).join(', ')}`
    : `it has ${names.length} tensors`;
}

/** @throws UsageError for the first name that is not among those of the tensors */
export function assertTensors(wanted: readonly string[], names: readonly string[]): void {
  const known = new Set(names);
  const missing = wanted.find((name) => !known.has(name));
  if (missing === undefined) return;
  throw new UsageError(`No tensor has the name ${quote(missing)}: ${hint(missing, names)}`);
}

/** Adds the name of a neighbour to the error of a file that does not exist. */
export async function withNeighbour<T>(name: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const path = argumentPlace(name).path;
    if (!(error instanceof SourceError) || path === undefined || !isMissing(error.cause)) throw error;
    const folder = dirname(path);
    const meant = closest(basename(path), await readdir(folder).catch(() => []));
    if (meant === undefined) throw error;
    const shown = folder === '.' ? meant : join(folder, meant);
    throw new DataError(`${error.message}; did you mean ${quote(shown)}?`, { cause: error });
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

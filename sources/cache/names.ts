import type { Range } from '../../src/bytes/ranges.js';
import type { Xxh3 } from './entry.js';

/**
 * Names of a cache's entries. Those of parts: hash of the file's version, first byte, one past the last; those of notes about
 * files: hash of the file's id. Beside the name, an entry has a key with the text that was hashed.
 */
const NAME = /^([0-9a-f]{16})-(?:(\d{1,16})-(\d{1,16})|file)$/;

export interface EntryName {
  readonly name: string;
  readonly key: string;
}

/** False for what else is in the store. */
export function isEntryName(name: string): boolean {
  return NAME.test(name);
}

export function hashOf(version: string, xxh3: Xxh3): string {
  return xxh3(new TextEncoder().encode(version)).toString(16).padStart(16, '0');
}

export function partName(version: string, { start, end }: Range, xxh3: Xxh3): EntryName {
  return { name: `${hashOf(version, xxh3)}-${start}-${end}`, key: `${version}\n${start}-${end}` };
}

export function noteName(id: string, xxh3: Xxh3): EntryName {
  return { name: `${hashOf(id, xxh3)}-file`, key: `file\n${id}` };
}

/** The part that an entry of this name is; undefined for a note. */
export function partOf(name: string): { readonly hash: string; readonly range: Range } | undefined {
  const [, hash, start, end] = NAME.exec(name)!;
  return start === undefined ? undefined : { hash: hash!, range: { start: Number(start), end: Number(end) } };
}

import { bytesSource } from '../../../sources/bytes.js';
import type { Limits } from '../../../src/checks/limits.js';
import { SourceError } from '../../../src/errors.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { concatBytes } from '../../helpers/bytes.js';
import type { Anatomy, Part } from '../target.js';
import { readU32, u32 } from './numbers.js';

/** Several files as one input: for each the length of its name, u8, its name, its length, u32, and its bytes. */

export type Files = ReadonlyMap<string, Uint8Array>;

/** The most that such an input may cause, where its tensors have at most `maxBytes` bytes. */
export function archiveLimits(maxBytes: number): Limits {
  return {
    tensorBytes: maxBytes,
    totalBytes: maxBytes,
    headerBytes: 2 ** 16,
    manifestBytes: 2 ** 16,
    tensors: 64,
  };
}

export function pack(files: Files): Uint8Array {
  return concatBytes(
    Array.from(files, ([name, bytes]) => {
      const text = new TextEncoder().encode(name);
      return [Uint8Array.of(text.length), text, u32(bytes.length), bytes];
    }).flat(),
  );
}

export function unpack(input: Uint8Array): Files {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at < input.length; ) {
    const nameEnd = at + 1 + input[at]!;
    const name = new TextDecoder().decode(input.subarray(at + 1, nameEnd));
    const end = nameEnd + 4 + readU32(input, nameEnd);
    files.set(name, input.subarray(nameEnd + 4, end));
    at = end;
  }
  return files;
}

/** What opens files by their names. */
export function opener(files: Files): (name: string) => RandomAccessSource {
  return (name) => {
    const bytes = files.get(name);
    if (bytes === undefined)
      throw new SourceError('Cannot open the file: there is none of this name', { name });
    return bytesSource(bytes);
  };
}

/**
 * Parts are whole files; their kinds are their names.
 * @param repair makes what the files say of each other right
 */
export function archiveAnatomy(repair: (files: Map<string, Uint8Array>, sizes: boolean) => void): Anatomy {
  return {
    split: (input) =>
      Array.from(unpack(input), ([kind, bytes]): Part => ({ kind, bytes, json: kind.endsWith('.json') })),
    join(parts, sizes) {
      const files = new Map(parts.map(({ kind, bytes }) => [kind, bytes]));
      repair(files, sizes);
      return pack(files);
    },
  };
}

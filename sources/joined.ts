import { concatenate } from '../src/bytes/binary.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/** Bytes that a joined source consists of: those of another source, or what is made when it is read. */
export interface JoinedPart {
  readonly length: number;
  read(offset: number, length: number, options: AbortOptions): Promise<Uint8Array>;
}

export function bytesPart(bytes: Uint8Array): JoinedPart {
  return { length: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

export function sourcePart(source: RandomAccessSource, start: number, length: number): JoinedPart {
  return { length, read: (offset, size, options) => source.read(start + offset, size, options) };
}

/** A source of bytes that are in several places, one after another, which are read together. Closing it closes none of them. */
export function joinedSource(
  parts: readonly JoinedPart[],
  name?: string,
): RandomAccessSource & { readonly size: number } {
  const starts: number[] = [];
  let size = 0;
  for (const { length } of parts) {
    starts.push(size);
    size += length;
  }
  return randomAccessSource(
    size,
    async (offset, length, options) => {
      const reads: Promise<Uint8Array>[] = [];
      for (let i = lastAtMost(starts, offset), at = offset; at < offset + length; i++) {
        const part = parts[i]!;
        const from = at - starts[i]!;
        const count = Math.min(part.length - from, offset + length - at);
        if (count > 0) reads.push(part.read(from, count, options));
        at += count;
      }
      return concatenate(await Promise.all(reads));
    },
    name,
  );
}

/** The index of the last number that is not above `value`. */
function lastAtMost(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

import { readStart } from '../sources/read.js';
import { asBytes } from '../src/bytes/binary.js';
import { ByteQueue } from '../src/bytes/byteQueue.js';
import { assertKind, type OwnKind } from '../src/bytes/fileKind.js';
import type { Demand, Grammar } from '../src/bytes/grammar.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError, TruncatedError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';

/**
 * Reads the bytes that a grammar demands from a source, from `offset` on, and no others.
 * @param format which a file that begins at `offset` 0 must have
 * @throws TruncatedError, FormatError for a file of another kind, and what the grammar and the source throw
 */
export async function readGrammar<T>(
  format: OwnKind,
  parse: (queue: ByteQueue) => Grammar<T>,
  source: RandomAccessSource,
  offset: number,
  options: AbortOptions,
): Promise<T> {
  const queue = new ByteQueue();
  const grammar = parse(queue);
  for (;;) {
    const { done, value } = grammar.next();
    if (done) return value;
    const position = offset + queue.position;
    if (position === 0 && queue.length === 0) {
      // Before its size is judged: a file that is too short may be another one.
      const start = await readStart(source, value.length, options);
      assertKind(start, format);
      queue.push(start);
    }
    assertHolds(format, source, position, value);
    const available = (source.size ?? Number.POSITIVE_INFINITY) - position;
    const missing = Math.min(value.length, available) - queue.length;
    if (missing > 0) queue.push(await readBytes(source, position + queue.length, missing, options));
  }
}

/** Before the bytes are read, because their length is a claim. */
function assertHolds(
  format: string,
  { size }: RandomAccessSource,
  position: number,
  { section, least, followedBy }: Demand,
): void {
  const expected = position + least + followedBy;
  if (size === undefined || size >= expected) return;
  const what =
    followedBy === 0
      ? `Cannot read the ${format} file: it ends within its ${section}`
      : `Cannot read the ${format} file: it is shorter than its header says`;
  throw new TruncatedError(what, { expected, actual: size });
}

/** Reads from a source, and checks the length, because a source of the caller's may break its contract. */
export async function readBytes(
  source: RandomAccessSource,
  offset: number,
  length: number,
  { signal }: AbortOptions,
): Promise<Uint8Array> {
  const bytes = asBytes(await source.read(offset, length, { signal }));
  if (bytes.length === length) return bytes;
  throw new FormatError('Cannot use the bytes of the source: wrong length', {
    offset,
    expected: length,
    actual: bytes.length,
  });
}

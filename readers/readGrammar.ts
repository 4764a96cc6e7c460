import { readStart } from '../sources/read.js';
import { asBytes } from '../src/bytes/binary.js';
import { ByteQueue } from '../src/bytes/byteQueue.js';
import type { OwnKind } from '../src/bytes/fileKind.js';
import type { Demand, Grammar } from '../src/bytes/grammar.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { FormatError, TruncatedError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';

/** How files of these formats begin, and none of another kind does. */
const MAGICS = { HCT: 'HCTN', HoloTensor: 'HTNS', NumPy: '\x93NUMPY' } as const satisfies Partial<
  Record<OwnKind, string>
>;

export interface ReadGrammarOptions extends AbortOptions {
  /** What the grammar needs to go on with its first bytes, loaded meanwhile. */
  readonly ready?: Promise<unknown> | undefined;
  /** Bytes from `offset` on that have been read. */
  readonly known?: Uint8Array | undefined;
  /** Bytes that are read at a time where a file of known size has them, even if the grammar demands fewer. Default 0. */
  readonly ahead?: number | undefined;
}

/**
 * Reads the bytes that a grammar demands from a source, from `offset` on.
 * @param format which a file that begins at `offset` 0 must have
 * @throws TruncatedError, FormatError for a file of another kind, and what the grammar and the source throw
 */
export async function readGrammar<T>(
  format: keyof typeof MAGICS,
  parse: (queue: ByteQueue) => Grammar<T>,
  source: RandomAccessSource,
  offset: number,
  options: ReadGrammarOptions,
): Promise<T> {
  const { ready, known, ahead = 0 } = options;
  const queue = new ByteQueue();
  if (known !== undefined) queue.push(known);
  if (known !== undefined && offset === 0) await assertKind(known, format);
  const grammar = parse(queue);
  for (;;) {
    const { done, value } = grammar.next();
    if (done) return value;
    const position = offset + queue.position;
    if (position === 0 && queue.length === 0) {
      // Before its size is judged: a file that is too short may be another one.
      const [start] = await Promise.all([readStart(source, value.length, options), ready]);
      await assertKind(start, format);
      queue.push(start);
    }
    assertHolds(format, source, position, value);
    const available = (source.size ?? Number.POSITIVE_INFINITY) - position;
    if (queue.length >= Math.min(value.length, available)) continue;
    const wanted = source.size === undefined ? value.length : Math.max(value.length, ahead);
    const missing = Math.min(wanted, available) - queue.length;
    queue.push(await readBytes(source, position + queue.length, missing, options));
  }
}

/** What can tell what the file is instead is loaded on demand. */
async function assertKind(start: Uint8Array, format: keyof typeof MAGICS): Promise<void> {
  const magic = MAGICS[format];
  if ([...magic].every((character, i) => character.charCodeAt(0) === start[i])) return;
  const kinds = await import('../src/bytes/kindOnDemand.js');
  kinds.assertKind(start, format);
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

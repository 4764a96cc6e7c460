import { allocating } from '../checks/limits.js';
import { ArgumentError, FormatError, TruncatedError } from '../errors.js';

/** Bytes in memory. The bytes of a view (a typed array of any kind, a DataView) are those of its memory, not its values. */
export type BytesLike = ArrayBufferView | ArrayBufferLike;

/**
 * The same bytes as a plain Uint8Array that shares their memory, whatever realm they come from (a frame, a test
 * environment); Node's Buffers, too, because their `slice` shares memory where others copy. Undefined for anything else.
 * @throws ArgumentError when another thread has been given the memory
 */
export function bytesOf(value: unknown): Uint8Array | undefined {
  // Chunks come by the thousand: most of them end here.
  if ((value as Partial<Uint8Array> | undefined | null)?.constructor === Uint8Array)
    return value as Uint8Array;
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return isBuffer(value) ? new Uint8Array(value) : undefined;
  } catch (cause) {
    throw new ArgumentError('Cannot read bytes from this value: its memory has been transferred', { cause });
  }
}

function isBuffer(value: unknown): value is ArrayBufferLike {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

/**
 * As {@link bytesOf}.
 * @throws ArgumentError for what is not bytes
 */
export function asBytes(value: BytesLike): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  const expected = 'a Uint8Array, another typed array or an ArrayBuffer';
  throw new ArgumentError('Cannot read bytes from this value', { expected, actual: value });
}

/**
 * Bytes in memory that no other thread shares: `Uint8Array<ArrayBuffer>`, written so that compilers before TypeScript
 * 5.7, where `Uint8Array` is not generic, can read published types.
 */
export type OwnBytes = ReturnType<Uint8Array['slice']>;

/**
 * @param what is read, in the words of the error
 * @param offset where it begins, if that is not the beginning
 * @throws TruncatedError unless there are that many bytes
 */
export function assertLength(bytes: Uint8Array, expected: number, what: string, offset?: number): void {
  const actual = Math.max(bytes.length - (offset ?? 0), 0);
  if (actual >= expected) return;
  throw new TruncatedError(`Cannot read ${what}: too few bytes`, { offset, expected, actual });
}

/** A DataView of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A little-endian u64 that must be exact as a number; no possible size or dimension is above 2^53.
 * @param what begins the sentence of the error
 * @throws FormatError for larger values
 */
export function readU64(view: DataView, offset: number, what: string): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new FormatError(`${what} is too large`, {
      offset,
      expected: 'at most 2^53 - 1',
      actual: `${value}`,
    });
  }
  return Number(value);
}

export function writeU64(view: DataView, offset: number, value: number): void {
  view.setBigUint64(offset, BigInt(value), true);
}

/** The bytes of all pieces, one after another; a single piece is returned without a copy. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const bytes = allocating(() => new Uint8Array(size));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

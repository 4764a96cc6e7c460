import { FormatError } from '../errors.js';

/** Of any realm: in a test environment, or from another frame, it is no instance of our class. */
export function isByteArray(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/**
 * Bytes in memory that no other thread shares: `Uint8Array<ArrayBuffer>`, written so that compilers before TypeScript
 * 5.7, where `Uint8Array` is not generic, can read published types.
 */
export type OwnBytes = ReturnType<Uint8Array['slice']>;

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
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

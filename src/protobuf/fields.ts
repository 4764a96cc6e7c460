/** The wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding/ */

import type { Scan, ScanWindow } from '../bytes/scan.js';
import { MAX_VARINT_BYTES, readVarint, varint } from '../bytes/varint.js';
import { FormatError } from '../errors.js';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A field of a message, and where it is in the file. */
export interface Field {
  readonly number: number;
  readonly type: typeof VARINT | typeof FIXED64 | typeof BYTES | typeof FIXED32;
  /** Of a varint, read as unsigned: exact up to 2^53. */
  readonly value: number;
  /** Of its tag. */
  readonly start: number;
  /** Of its content: the bytes of a string or message, or the number. */
  readonly content: number;
  readonly end: number;
}

/**
 * The field that begins at `at` in a message that ends at `end`.
 * @throws FormatError, TruncatedError
 */
export function* nextField(window: ScanWindow, at: number, end: number): Scan<Field> {
  const bytes = yield* window.from(at, 2 * MAX_VARINT_BYTES);
  const tag = readVarint(bytes, 0);
  if (tag === undefined) throw broken('a tag of a field', at);
  const [number, type] = [Math.floor(tag.value / 8), tag.value % 8];
  const content = at + tag.end;
  const made = (length: number, value = 0, contentStart = content): Field => {
    if (number === 0 || contentStart + length > end) throw broken(`field ${number}`, at);
    return {
      number,
      type: type as Field['type'],
      value,
      start: at,
      content: contentStart,
      end: contentStart + length,
    };
  };
  if (type === FIXED64) return made(8);
  if (type === FIXED32) return made(4);
  const varint = type === VARINT || type === BYTES ? readVarint(bytes, tag.end) : undefined;
  if (varint === undefined) throw broken(`field ${number}`, at);
  return type === VARINT ? made(varint.end - tag.end, varint.value) : made(varint.value, 0, at + varint.end);
}

function broken(part: string, offset: number): FormatError {
  const what = 'Cannot read the protocol buffer';
  return new FormatError(`${what}: ${part} is invalid, or longer than what it is in`, { offset });
}

/** The 64 bits of the varint at `at`, as two halves; undefined where it is invalid. */
export function readVarint64(
  bytes: Uint8Array,
  start: number,
): { readonly low: number; readonly high: number; readonly end: number } | undefined {
  let [low, high] = [0, 0];
  for (let i = 0; i < MAX_VARINT_BYTES && start + i < bytes.length; i++) {
    const byte = bytes[start + i]!;
    const bits = byte & 127;
    const shift = 7 * i;
    if (shift < 32) low |= bits << shift;
    if (shift > 24) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
    if (byte < 128) return { low: low >>> 0, high: high >>> 0, end: start + i + 1 };
  }
  return undefined;
}

/** A field of bytes: a string or a message. */
export function bytesField(number: number, content: Uint8Array): Uint8Array {
  const head = fieldHead(number, content.length);
  const field = new Uint8Array(head.length + content.length);
  field.set(head);
  field.set(content, head.length);
  return field;
}

/** What precedes the content of a field of this many bytes. */
export function fieldHead(number: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8 + BYTES), ...varint(length)]);
}

export function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8 + VARINT), ...varint(value)]);
}

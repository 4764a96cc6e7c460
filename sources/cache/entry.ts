import type { OwnBytes } from '../../src/bytes/binary.js';

/**
 * An entry of a cache: the payload first, then the record that makes it valid: the key as UTF-8, and 32 bytes of
 * key length (u64), payload length (u64), XXH3-64 of the payload (u64), magic. An entry that was only
 * partly written, was damaged, or belongs to another key, is recognised as such.
 */

const TRAILER_SIZE = 32;

/** "HSCACHE1" as a little-endian number. */
const MAGIC = 0x3145_4843_4143_5348n;

export type Xxh3 = (bytes: Uint8Array) => bigint;

export function sealEntry(key: string, payload: Uint8Array, xxh3: Xxh3): OwnBytes {
  const keyBytes = new TextEncoder().encode(key);
  const bytes = new Uint8Array(payload.length + keyBytes.length + TRAILER_SIZE);
  bytes.set(payload);
  bytes.set(keyBytes, payload.length);
  const view = new DataView(bytes.buffer, payload.length + keyBytes.length);
  view.setBigUint64(0, BigInt(keyBytes.length), true);
  view.setBigUint64(8, BigInt(payload.length), true);
  view.setBigUint64(16, xxh3(payload), true);
  view.setBigUint64(24, MAGIC, true);
  return bytes;
}

/** The payload, as a view; undefined when this is no whole entry of that key. */
export function openEntry(key: string, bytes: Uint8Array, xxh3: Xxh3): Uint8Array | undefined {
  const trailer = bytes.length - TRAILER_SIZE;
  if (trailer < 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + trailer, TRAILER_SIZE);
  if (view.getBigUint64(24, true) !== MAGIC) return undefined;
  const payloadLength = trailer - Number(view.getBigUint64(0, true));
  if (view.getBigUint64(8, true) !== BigInt(payloadLength)) return undefined;
  if (new TextDecoder().decode(bytes.subarray(payloadLength, trailer)) !== key) return undefined;
  const payload = bytes.subarray(0, payloadLength);
  return view.getBigUint64(16, true) === xxh3(payload) ? payload : undefined;
}

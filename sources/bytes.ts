import { isByteArray } from '../src/bytes/binary.js';
import { ArgumentError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/**
 * Bytes in memory as a source. Streams and reads return views of `bytes`, not copies: do not write to them, and do not
 * transfer their buffer.
 *
 * @example
 * const response = await fetch('https://example.org/model/model.safetensors');
 * const header = await readSafetensorsHeader(bytesSource(new Uint8Array(await response.arrayBuffer())));
 *
 * @throws ArgumentError for anything but bytes
 */
export function bytesSource(bytes: Uint8Array | ArrayBuffer): RandomAccessSource & { readonly size: number } {
  const all = isByteArray(bytes) ? bytes : new Uint8Array(checkedBuffer(bytes));
  return randomAccessSource(all.length, async (offset, length) => all.subarray(offset, offset + length));
}

/** A typed array of anything else, a text or a promise would become other bytes than it holds, without an error. */
function checkedBuffer(buffer: ArrayBuffer): ArrayBuffer {
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(buffer))) return buffer;
  throw new ArgumentError('Cannot read from this argument', {
    expected: 'a Uint8Array or an ArrayBuffer',
    actual: buffer,
  });
}

import { asBytes, type BytesLike } from '../src/bytes/binary.js';
import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/**
 * Bytes in memory as a source. Streams and reads return views of them, not copies: do not write to them, and do not
 * transfer their buffer. Of a typed array of any kind, the bytes are those of its memory: a Float32Array has four for each
 * element.
 *
 * @example
 * const response = await fetch('https://example.org/model/model.safetensors');
 * const header = await readSafetensorsHeader(bytesSource(await response.arrayBuffer()));
 *
 * @throws ArgumentError for anything but bytes
 */
export function bytesSource(bytes: BytesLike): RandomAccessSource & { readonly size: number } {
  const all = asBytes(bytes);
  return randomAccessSource(all.length, async (offset, length) => all.subarray(offset, offset + length));
}

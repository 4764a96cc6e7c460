import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/**
 * Bytes in memory as a source. Streams and reads return views of `bytes`, not copies: do not write to them, and do not
 * transfer their buffer.
 *
 * @example
 * const response = await fetch('https://example.org/model/model.safetensors');
 * const header = await readSafetensorsHeader(bytesSource(new Uint8Array(await response.arrayBuffer())));
 */
export function bytesSource(bytes: Uint8Array | ArrayBuffer): RandomAccessSource & { readonly size: number } {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return randomAccessSource(all.length, async (offset, length) => all.subarray(offset, offset + length));
}

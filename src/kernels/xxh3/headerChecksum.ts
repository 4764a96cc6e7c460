import { xxh3Short } from './portable/short.js';

/**
 * XXH3-64 with seed 0 of a header, which has at most 240 bytes: synchronous, and without the code for longer data, which
 * `checksum.ts` has.
 */
export function headerChecksum(header: Uint8Array): bigint {
  return xxh3Short(new DataView(header.buffer, header.byteOffset, header.byteLength));
}

import { asBytes, type BytesLike } from '../../bytes/binary.js';
import { xxh3 as portable } from './portable.js';

/**
 * XXH3-64 with seed 0, the checksum of both formats, available without loading. Callers with loaded kernels use
 * `kernels.xxh3`, which gives the same result faster.
 */
export function xxh3(bytes: BytesLike): bigint {
  return portable(asBytes(bytes));
}

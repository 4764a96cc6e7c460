/**
 * XXH3-64 with seed 0, the checksum of both formats, available without loading. Callers with loaded kernels use
 * `kernels.xxh3`, which gives the same result faster.
 */
export { xxh3 } from './portable.js';

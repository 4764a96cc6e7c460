import type { Steps } from '../../async/steps.js';

/** XXH3-64 with seed 0. What can wait for kernels passes theirs, so that pages need no other. */
export type Hash = (bytes: Uint8Array) => bigint;

/** The checksum of all formats. */
export interface ChecksumKernels {
  /** Of all bytes at once. */
  readonly xxh3: Hash;
  /** The same in steps of about a millisecond. */
  hashing(bytes: Uint8Array): Steps<bigint>;
}

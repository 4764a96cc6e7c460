/** XXH3-64 with seed 0. What can wait for kernels passes theirs, so that pages need no other. */
export type Hash = (bytes: Uint8Array) => bigint;

/** XXH3-64 in synchronous calls. */
export interface ChecksumKernels {
  readonly xxh3: Hash;
}

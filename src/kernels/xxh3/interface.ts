export interface ChecksumKernels {
  /** XXH3-64 with seed 0. */
  xxh3(bytes: Uint8Array): bigint;
}

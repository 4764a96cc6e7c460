/** LZ4 in synchronous calls. */
export interface Lz4Kernels {
  /**
   * Decodes one raw LZ4 block into exactly `out`; reads and writes nothing else.
   * @param check gets the XXH3-64 of `block` before anything is decoded; it may be called again with the same
   * @throws CodecError; what `check` throws
   */
  lz4DecompressInto(block: Uint8Array, out: Uint8Array, check?: (xxh3: bigint) => void): void;
}

/** The other way. Apart from decoding, which most programs do without encoding. */
export interface Lz4EncodeKernels {
  /** One raw LZ4 block that keeps the end-of-block rules. */
  lz4Compress(data: Uint8Array): Uint8Array;
}

/** Zstandard in synchronous calls. */
export interface ZstdKernels {
  /**
   * Decodes the blocks of one Zstandard frame, from offset `start` to the end of `frame`, into the start of `out`; reads
   * nothing else. It may write to all of `out`. The caller checks the frame's header and checksum.
   * @param maxBlock most bytes of a block, compressed or not: by the frame's header, and at most 2^17
   * @returns how many bytes they decode to
   * @throws CodecError
   */
  zstdDecompressInto(frame: Uint8Array, start: number, out: Uint8Array, maxBlock: number): number;
  /** What a frame of this content ends with, if it has a checksum: the low half of its XXH64. */
  zstdChecksum(content: Uint8Array): number;
}

export interface ZstdKernels {
  /**
   * Decodes the blocks of one Zstandard frame, from offset `start` to the end of `frame`, so that they fill `out`
   * exactly; reads and writes nothing outside the two. The frame's header and checksum are the caller's.
   * @throws CodecError
   */
  zstdDecompressInto(frame: Uint8Array, start: number, out: Uint8Array): void;
}

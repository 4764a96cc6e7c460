export interface ZstdKernels {
  /**
   * Decodes the blocks of one Zstandard frame, from offset `start` to the end of `frame`, into exactly `out`; reads and
   * writes nothing else. The caller checks the frame's header and checksum.
   * @throws CodecError
   */
  zstdDecompressInto(frame: Uint8Array, start: number, out: Uint8Array): void;
}

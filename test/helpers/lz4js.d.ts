/** The part of lz4js that the tests and benchmarks use. It has no types of its own. */
declare module 'lz4js' {
  export function compressBlock(
    source: Uint8Array,
    target: Uint8Array,
    start: number,
    length: number,
    hashTable: Uint32Array,
  ): number;
  export function decompressBlock(
    source: Uint8Array,
    target: Uint8Array,
    start: number,
    length: number,
    targetStart: number,
  ): number;
}

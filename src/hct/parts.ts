import type { QuantizationMetadata } from '../tensor/quantization.js';
import type { BlockTable } from './blockIndex.js';
import type { HctHeader } from './header.js';

/** The parts of a file in their order: one start, the blocks, one end. */
export type HctPart = HctStart | HctBlock | HctEnd;

/** The same with decompressed blocks. */
export type HctDecodedPart = HctStart | HctData | HctEnd;

/** Everything that precedes the blocks. */
export interface HctStart {
  readonly kind: 'start';
  readonly header: HctHeader;
  readonly quantization: QuantizationMetadata | undefined;
  readonly blocks: BlockTable;
  /** Where the first block begins in the file. */
  readonly blocksOffset: number;
}

/** A block as stored. */
export interface HctBlock {
  readonly kind: 'block';
  readonly blockIndex: number;
  /** Where its content begins in the tensor, and how long it is, in bytes. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** XXH3-64 of `compressed`; 0 where the file has none. */
  readonly checksum: bigint;
  /** A view of the chunk that it came in, if one chunk holds it all. */
  readonly compressed: Uint8Array;
}

/** A decompressed block. */
export interface HctData {
  readonly kind: 'data';
  readonly blockIndex: number;
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/** The facts that are known only at the end of the file. */
export interface HctEnd {
  readonly kind: 'end';
  /** The true shape, whatever the header could hold. */
  readonly shape: readonly number[];
  readonly name: string | undefined;
  /** One half-precision pattern per group, where the quantization has scales by group. */
  readonly groupScales: Uint16Array | undefined;
}

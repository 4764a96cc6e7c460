import type { SafetensorsDType } from '../../src/safetensors/header.js';
import type { AbortOptions, RandomAccessSource } from '../../src/source.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { WorkerPool } from '../../workers/pool.js';

/** What a model consists of, whatever kind of file or directory it comes from. */
export interface ModelContent {
  readonly format: 'model-file' | 'safetensors' | 'directory';
  /** Free text that the model carries. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly LoadableTensor[];
  close(): Promise<void>;
}

/** A tensor and the pieces it is loaded by. */
export interface LoadableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of the tensor's elements. */
  readonly byteLength: number;
  /** In the order in which they are needed: a piece is of no use before those in front of it. */
  readonly pieces: readonly LoadPiece[];
  /** @param pool decodes in workers what is worth it */
  createDecoder(pool?: WorkerPool): Promise<PieceDecoder>;
  /** Rows `start` to `end` along the first dimension, where they can be had without the rest. */
  readonly readRows?: ((start: number, end: number, options: AbortOptions) => Promise<Tensor>) | undefined;
}

/** A file that pieces are in. Adjacent pieces of one file are fetched by one request. */
export interface PieceFile {
  acquire(): Promise<RandomAccessSource>;
  release(source: RandomAccessSource): Promise<void>;
}

/** A run of bytes to fetch. */
export interface LoadPiece {
  readonly file: PieceFile;
  readonly offset: number;
  readonly length: number;
  /** True cosine similarity with the original once this piece is there. */
  readonly cosine: number;
}

/** Makes a tensor of its pieces, each verified before it is used. */
export interface PieceDecoder {
  /** @throws ChecksumError, CodecError, FormatError */
  add(piece: number, bytes: Uint8Array): Promise<void>;
  readonly complete: boolean;
  /** True cosine similarity with the original; 0 before there is anything. */
  readonly cosine: number;
  /** Decoders that work in steps of more than one piece: makes the best of what is there. */
  settle?(): Promise<void>;
  /** The best tensor so far as numbers, where it is made of fragments; `out` is used where given. */
  reconstruct(out?: Float32Array): Float32Array | undefined;
  /** The best tensor so far in its own dtype; undefined before there is anything. */
  reconstructTensor(): Tensor | undefined;
}

/** A source that stays open as long as the model. */
export function sharedFile(source: RandomAccessSource): PieceFile {
  return { acquire: async () => source, release: async () => {} };
}

import type { PartialOption } from '../../readers/partial.js';
import type { Soon } from '../../src/async/after.js';
import { inTurns, type Steps } from '../../src/async/steps.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { Budget, OpenOptions } from '../../src/checks/limits.js';
import type { ElementRange } from '../../src/encodings/encoding.js';
import { UnsupportedError } from '../../src/errors.js';
import type { reconstructStored } from '../../src/holotensor/tasks.js';
import type { SafetensorsDType } from '../../src/safetensors/header.js';
import { type RandomAccessSource, sourceName } from '../../src/source.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { WorkerPool } from '../../workers/pool.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { ForeignFormat } from './foreign.js';

/** The SHA-256 of a file, or of each file of a model by its name: 64 hexadecimal digits, or `sha256-` and Base64. */
export type Integrity = string | Readonly<Record<string, string>>;

/** How a model is opened. */
export interface InputOptions extends OpenOptions, PartialOption {
  readonly integrity?: Integrity | undefined;
}

/** How one file of a model is opened. */
export interface FileOptions extends OpenOptions, PartialOption {
  /** Of the file; undefined for a source of the caller's own. */
  readonly name?: string | undefined;
  /** Opens another file of its folder. */
  readonly openBeside?: OpenModelFile | undefined;
  /** What it must have: 64 hexadecimal digits. */
  readonly sha256?: string | undefined;
}

/** The content of a model, whatever kind of file or directory it comes from. */
export interface ModelContent {
  readonly format: 'model-file' | 'safetensors' | 'directory' | 'npy' | ForeignFormat;
  /** Free text in the model's files. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly LoadableTensor[];
  /** The plain files that it was made of, or is, if their bytes can be read. */
  readonly files?: readonly OriginalFile[] | undefined;
  close(): Promise<void>;
}

/** A plain file that a model was made of, or is. */
export interface OriginalFile {
  readonly name: string;
  /** Its JSON header as text, padding included. */
  readonly header: string;
  /** Without its header, see {@link SourceFile}. */
  readonly bare?: boolean | undefined;
  /** Of what it is made from: changes when any byte of that changes. Undefined where nothing says so. */
  version(options: AbortOptions): Promise<string | undefined>;
}

/** A tensor and the pieces it is loaded from. */
export interface LoadableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of the tensor's elements. */
  readonly byteLength: number;
  /** In the quality of the model, see `tensorWeight`. */
  readonly weight: number;
  /**
   * In the order in which they are decoded: a piece is useless without those before it. Of a file that ends early, those
   * that bring numbers.
   */
  readonly pieces: readonly LoadPiece[];
  /**
   * @param budget of the model, which all of its tensors share
   * @param pool decodes large tensors in its workers
   */
  createDecoder(budget: Budget, pool?: WorkerPool): Promise<PieceDecoder>;
  /**
   * Verifies its first pieces, which are all there, to decode ranges from them, perhaps at the same time; undefined for a small
   * tensor, and where its piece is its elements.
   * @throws ChecksumError, FormatError
   */
  openPieces?:
    | ((pieces: readonly Uint8Array[], options: OpenPiecesOptions) => Promise<OpenedPieces>)
    | undefined;
  /** Reads rows `start` to `end` along the first dimension; undefined where that takes the whole tensor. */
  readonly readRows?: ((start: number, end: number, options: AbortOptions) => Promise<Tensor>) | undefined;
  /** Its one piece is its elements as they are, and no checksum is of all of them: any bytes of it can be read alone. */
  readonly isStored?: boolean | undefined;
}

/** See `LoadableTensor.openPieces`. */
export interface OpenPiecesOptions extends AbortOptions {
  /** Of all tensors that are decoded together. */
  readonly budget: Budget;
  /** Workers, or the task of theirs, for this thread: pages that decode by workers alone do not load it. */
  readonly by: WorkerPool | typeof reconstructStored;
}

/** See `LoadableTensor.openPieces`. */
export interface OpenedPieces {
  /** Ranges begin at multiples of this, and end there or with the tensor; undefined where there is only the whole. */
  readonly rangeStep: number | undefined;
  /**
   * The bytes of a range's elements in their own dtype, in `out` unless that is memory that another thread must be given: then that
   * comes back as another object.
   * @param range undefined: the whole
   * @throws CodecError, FormatError, LimitError; WorkerError when the worker died
   */
  decode(
    range: ElementRange | undefined,
    options: AbortOptions & { readonly out?: Uint8Array | undefined },
  ): Promise<Uint8Array>;
}

/** A file that contains pieces. Adjacent pieces of one file are fetched by one request. */
export interface PieceFile {
  /** Its pieces are of use only together, because the file is verified as a whole. */
  readonly whole?: boolean;
  /** What messages call it. */
  readonly name?: string | undefined;
  acquire(): Promise<RandomAccessSource>;
  release(source: RandomAccessSource): Promise<void>;
}

/** A run of bytes to fetch. */
export interface LoadPiece {
  readonly file: PieceFile;
  readonly offset: number;
  readonly length: number;
  /** True cosine similarity with the original after this piece. */
  readonly cosine: number;
}

/** See {@link PieceDecoder}. */
export interface ReconstructOptions extends AbortOptions {
  readonly out?: Uint8Array | undefined;
  /** Memory may be freed on the way: another reconstruction takes longer. */
  readonly isLast?: boolean | undefined;
}

/** See {@link PieceDecoder}. */
export interface PieceOptions extends AbortOptions {
  /** Nothing else uses the memory of the piece: it may be transferred, and freed. Default false. */
  readonly isOwn?: boolean | undefined;
}

/** A piece that waits for others. */
export interface HeldPiece {
  readonly bytes: Uint8Array;
  /** See {@link PieceOptions}. */
  readonly isOwn: boolean | undefined;
}

/** Decodes a tensor from its pieces. Each is verified before it is used. */
export interface PieceDecoder {
  /** @throws ChecksumError, CodecError, FormatError; where a worker decodes, WorkerError and the reason of an aborted signal */
  add(piece: number, bytes: Uint8Array, options: PieceOptions): Soon<void>;
  /**
   * The first pieces, before any other: of small tensors, that takes less time than one by one.
   * @throws as {@link add}; the decoder is then of no use, and the pieces are as they were
   */
  addTogether?(pieces: readonly HeldPiece[], options: AbortOptions): Promise<void>;
  readonly complete: boolean;
  /** True cosine similarity with the original; 0 before the first numbers. */
  readonly cosine: number;
  /**
   * For decoders that collect several pieces before they decode: decodes those that were added.
   * @returns false where it must be called again after pieces of other tensors
   */
  settle?(options: AbortOptions): Promise<boolean>;
  /** Of tensors in fragments: the best tensor so far as numbers, perhaps in `out`. */
  reconstructing?(out: Float32Array | undefined, options: AbortOptions): Work<Float32Array | undefined>;
  /**
   * The best tensor so far in its own dtype; undefined before the first fragment.
   * @param options `out` is memory where its bytes may go: it may be transferred, and comes back as that of the tensor
   */
  reconstructingTensor(options: ReconstructOptions): Work<Tensor | undefined>;
  /** Its worker died with what it kept, or lacks what does not come again. */
  readonly isLost?: boolean;
  /** Gives back what it holds, here or in another thread. */
  close?(): void;
}

/** Work in steps of this thread, or of another one. */
type Work<T> = Steps<T> | Promise<T>;

/** @throws what the work throws; the reason of `signal` */
export function finished<T>(work: Work<T>, { signal }: AbortOptions): T | Promise<T> {
  // Not `instanceof Promise`: see `isPromise`.
  return 'next' in work ? inTurns(work, signal) : work;
}

/** @param actual format of the file */
export function notVerified(actual: string): UnsupportedError {
  return new UnsupportedError('Cannot verify the file by a SHA-256: only plain safetensors files can be', {
    actual,
  });
}

/** What errors of a tensor say of their place. Where a file is verified as a whole, none is the fault of a tensor. */
export function placeOfTensor({ name, pieces }: LoadableTensor) {
  const file = pieces[0]?.file;
  return { tensor: file?.whole ? undefined : name, file: file?.name };
}

/** A source that stays open as long as the model. */
export function sharedFile(source: RandomAccessSource): PieceFile {
  return { name: sourceName(source), acquire: async () => source, release: async () => {} };
}

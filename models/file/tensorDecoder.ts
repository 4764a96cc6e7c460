import { after, isPromise, type Soon } from '../../src/async/after.js';
import { inTurns, type Steps } from '../../src/async/steps.js';
import { free } from '../../src/bytes/sharedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { Budget, limitsOf } from '../../src/checks/limits.js';
import { loadDecodingOf } from '../../src/encodings/decodings.js';
import { ChecksumError, FormatError } from '../../src/errors.js';
import { HOLO_HEADER_SIZE } from '../../src/holotensor/constants.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import { parseHoloTensorHeaderBytes } from '../../src/holotensor/header.js';
import { type HoloTensorLayout, parseHoloTensorLayout } from '../../src/holotensor/parser.js';
import { FragmentUnpacker } from '../../src/holotensor/unpack.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { elementCount } from '../../src/tensor/dtype.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import type { HeldPiece, PieceOptions, ReconstructOptions } from '../inputs/content.js';
import { FORMS, unpackFirstPiece } from './firstPiece.js';
import type { ModelFileTensor } from './modelFile.js';
import { formatHash } from './plan.js';
import type { ShortTensorDecoder } from './shortTensor.js';

/**
 * Decodes a tensor from the pieces of a model file: header first, fragments in any order. Each piece is verified before
 * it is used.
 */
export class ModelTensorDecoder {
  readonly tensor: ModelFileTensor;
  readonly #kernels: Kernels<'xxh3'>;
  readonly #unpacker: FragmentUnpacker;
  readonly #budget: Budget;
  #layout: HoloTensorLayout | undefined;
  #decoder: HoloTensorDecoder | undefined;
  /** Of fragments, where nothing else uses it. */
  readonly #memory: ArrayBufferLike[] = [];
  /** The bytes of a plain tensor. */
  #whole: Uint8Array | undefined;
  /** A small one in two parts. */
  #short: ShortTensorDecoder | undefined;

  constructor(tensor: ModelFileTensor, kernels: Kernels<'xxh3'>, budget = new Budget(limitsOf())) {
    this.tensor = tensor;
    this.#kernels = kernels;
    this.#unpacker = new FragmentUnpacker(kernels, budget);
    this.#budget = budget;
  }

  get complete(): boolean {
    if (this.#short !== undefined) return this.#short.complete;
    return this.#whole !== undefined || (this.#decoder?.complete === true && this.#decoder.usable);
  }

  /** True cosine similarity with the source's tensor; 0 before the first fragment. */
  get cosine(): number {
    if (this.#whole !== undefined) return 1;
    if (this.#short !== undefined) return this.#short.cosine;
    const decoder = this.#decoder;
    // Before the bytes so far pay for a reconstruction, there is none.
    if (decoder === undefined || !decoder.usable) return 0;
    if (decoder.complete) return 1;
    return decoder.quality.cosine ?? decoder.quality.predicted;
  }

  /**
   * @param piece its number among the tensor's pieces
   * @throws ChecksumError, CodecError, FormatError, LimitError
   */
  add(piece: number, bytes: Uint8Array, { isOwn = false, signal }: PieceOptions = {}): Soon<void> {
    return piece === 0 ? this.#addFirst(bytes, signal) : this.#addFragment(piece - 1, bytes, isOwn, signal);
  }

  /** See `PieceDecoder`. */
  async addTogether(pieces: readonly HeldPiece[], { signal }: AbortOptions): Promise<void> {
    // Promises only where something waits: they take longer than to unpack a small fragment.
    const fragments: ReceivedFragment[] = [];
    for (let i = 0; i < pieces.length; i++) {
      const { bytes, isOwn = false } = pieces[i]!;
      const isFragment = i > 0 && this.#short === undefined;
      const added = isFragment ? this.#unpack(i - 1, bytes, isOwn, signal) : this.add(i, bytes, { signal });
      const fragment = isPromise(added) ? await added : added;
      if (fragment) fragments.push(fragment);
    }
    if (this.#decoder !== undefined) await inTurns(this.#decoder.addingTogether(fragments), signal);
  }

  /** @throws LimitError where fragments wait that nothing has paid for */
  async settle({ signal }: AbortOptions): Promise<true> {
    if (this.#decoder !== undefined) await inTurns(this.#decoder.settling(), signal);
    return true;
  }

  /** The best tensor so far as numbers, row-major. Only for floating-point tensors. */
  *reconstructing(out?: Float32Array): Steps<Float32Array | undefined> {
    return this.#decoder === undefined ? this.#short?.values : yield* this.#decoder.reconstructing(out);
  }

  /** The best tensor so far in its own dtype; undefined before the first fragment. */
  *reconstructingTensor({ out, isLast }: ReconstructOptions = {}): Steps<Tensor | undefined> {
    const { dtype, shape } = this.tensor;
    if (this.#whole !== undefined) return { dtype, shape, data: viewElements(dtype, this.#whole) };
    const values = this.#short?.values;
    if (values !== undefined) return { dtype, shape, data: values };
    if (this.#decoder === undefined) return undefined;
    const { data } = yield* this.#decoder.reconstructingTensor(out, isLast);
    return { dtype, shape, data };
  }

  #addFirst(bytes: Uint8Array, signal: AbortSignal | undefined): Soon<void> {
    if (this.tensor.encoded === undefined) {
      return after(inTurns(this.#kernels.hashing(bytes), signal), (hash) => {
        verifyFirstPiece(this.tensor, hash);
        this.#whole = bytes;
      });
    }
    if (bytes[0] === FORMS.short) return this.#addShort(bytes);
    const { layout } = readFirstPiece(this.tensor, bytes, this.#kernels);
    return after(loadDecodingOf(layout.header), () => {
      this.#decoder = new HoloTensorDecoder(layout.header, {}, this.#budget);
      this.#layout = layout;
    });
  }

  async #addShort(first: Uint8Array): Promise<void> {
    verifyFirstPiece(this.tensor, this.#kernels.xxh3(first));
    const { ShortTensorDecoder } = await import('./shortTensor.js');
    this.#short = new ShortTensorDecoder(this.tensor, first, this.#kernels);
  }

  /** Frees what it holds of an encoded tensor: the engine would not, until more garbage is made. */
  close(): void {
    this.#decoder?.free();
    free(this.#memory);
  }

  #addFragment(
    index: number,
    stored: Uint8Array,
    isOwn: boolean,
    signal: AbortSignal | undefined,
  ): Soon<void> {
    if (this.#short !== undefined) {
      this.#short.add(index, stored);
      return;
    }
    const unpacked = this.#unpack(index, stored, isOwn, signal);
    const added = after(unpacked, (fragment) => {
      if (isOwn && fragment.data !== stored) free([stored.buffer]);
      return inTurns(this.#decoder!.adding(fragment), signal);
    });
    return after(added, () => {});
  }

  /** Verifies a fragment, and keeps its memory to be freed. */
  #unpack(
    index: number,
    stored: Uint8Array,
    isOwn: boolean,
    signal: AbortSignal | undefined,
  ): Soon<ReceivedFragment> {
    const layout = this.#layout;
    const entry = layout?.entries[index];
    if (layout === undefined || entry === undefined) {
      throw new FormatError('Cannot decode the fragment: the header of its tensor is missing', {
        tensor: this.tensor.name,
        fragmentIndex: index,
      });
    }
    const unpacked = this.#unpacker.unpack({ header: layout.header, entry, stored }, { signal });
    return after(unpacked, (fragment) => {
      if (isOwn || fragment.data !== stored) this.#memory.push(fragment.data.buffer);
      return fragment;
    });
  }
}

/**
 * @param actual XXH3-64 of the first piece of a tensor
 * @throws ChecksumError unless it is the one in the plan
 */
function verifyFirstPiece({ name: tensor, firstPieceHash }: ModelFileTensor, actual: bigint): void {
  if (formatHash(actual) === firstPieceHash) return;
  const expected = BigInt(`0x${firstPieceHash}`);
  throw new ChecksumError('Cannot use the tensor: wrong checksum', { tensor, expected, actual });
}

/** What a first piece of a tensor in fragments of an encoding has. */
export interface FirstPiece {
  /** The header of a HoloTensor file. */
  readonly header: Uint8Array;
  readonly layout: HoloTensorLayout;
}

/**
 * Header and index of an encoded tensor.
 * @throws ChecksumError; FormatError when they do not match the tensor and its pieces
 */
export function readFirstPiece(
  tensor: ModelFileTensor,
  bytes: Uint8Array,
  kernels: Pick<Kernels, 'xxh3'>,
): FirstPiece {
  verifyFirstPiece(tensor, kernels.xxh3(bytes));
  const { name, dtype, shape, byteLength, encoded } = tensor;
  const sizes = encoded!.sizes.slice(1);
  const front = unpackFirstPiece(bytes, { dtype, shape, byteLength, sizes }, kernels);
  const headerBytes = front.subarray(0, HOLO_HEADER_SIZE);
  const header = parseHoloTensorHeaderBytes(headerBytes, kernels.xxh3);
  const layout = parseHoloTensorLayout(header, front.subarray(HOLO_HEADER_SIZE));
  const fits =
    header.dtype === dtype &&
    elementCount(header.shape) === elementCount(shape) &&
    layout.entries.length === sizes.length &&
    layout.entries.every(({ index, compressedSize }, i) => index === i && compressedSize === sizes[i]);
  if (!fits)
    throw new FormatError('Cannot decode the tensor: the header is that of another one', { tensor: name });
  return { header: headerBytes.slice(), layout };
}

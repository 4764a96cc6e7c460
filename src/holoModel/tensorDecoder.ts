import { elementCount } from '../dtype.js';
import { ChecksumError, FormatError } from '../errors.js';
import { HOLO_HEADER_SIZE } from '../holotensor/constants.js';
import { HoloTensorDecoder } from '../holotensor/decoder.js';
import { parseHoloTensorHeader } from '../holotensor/header.js';
import { type HoloTensorLayout, parseHoloTensorLayout } from '../holotensor/layout.js';
import { FragmentUnpacker } from '../holotensor/unpack.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Tensor } from '../tensor.js';
import { viewElements } from '../views.js';
import type { ModelFileTensor } from './modelFile.js';
import { formatHash } from './plan.js';

/**
 * Makes a tensor of the pieces of a model file, as they come: header first, fragments in any order. Each is verified
 * before it is used.
 */
export class ModelTensorDecoder {
  readonly tensor: ModelFileTensor;
  readonly #kernels: Kernels;
  readonly #unpacker: FragmentUnpacker;
  #layout: HoloTensorLayout | undefined;
  #decoder: HoloTensorDecoder | undefined;
  /** A tensor that is stored as it is. */
  #whole: Uint8Array | undefined;

  constructor(tensor: ModelFileTensor, kernels: Kernels) {
    this.tensor = tensor;
    this.#kernels = kernels;
    this.#unpacker = new FragmentUnpacker(kernels);
  }

  /** How many of the pieces behind the header are there; 1 of 1 for a tensor stored as it is. */
  get fragments(): number {
    return this.#whole === undefined ? (this.#decoder?.fragments ?? 0) : 1;
  }

  get complete(): boolean {
    return this.#whole !== undefined || this.#decoder?.complete === true;
  }

  /** True cosine similarity with the source's tensor; 0 before there is anything. */
  get cosine(): number {
    if (this.#whole !== undefined) return 1;
    const decoder = this.#decoder;
    if (decoder === undefined || decoder.fragments === 0) return 0;
    if (decoder.complete) return 1;
    return decoder.quality.cosine ?? decoder.quality.predicted;
  }

  /**
   * @param piece its number among the tensor's pieces
   * @throws ChecksumError, CodecError, FormatError
   */
  async add(piece: number, bytes: Uint8Array): Promise<void> {
    if (piece === 0) this.#addFirst(bytes);
    else await this.#addFragment(piece - 1, bytes);
  }

  /** The best tensor so far, as numbers: rows × cols of them, row-major. Only for floating-point tensors. */
  reconstruct(out?: Float32Array): Float32Array | undefined {
    return this.#decoder?.reconstruct(out);
  }

  /** The best tensor so far in its own dtype; undefined before there is anything. */
  reconstructTensor(): Tensor | undefined {
    const { dtype, shape } = this.tensor;
    if (this.#whole !== undefined) return { dtype, shape, data: viewElements(dtype, this.#whole) };
    if (this.#decoder === undefined) return undefined;
    return { dtype, shape, data: this.#decoder.reconstructTensor().data };
  }

  #addFirst(bytes: Uint8Array): void {
    const { name, firstPieceHash, encoded } = this.tensor;
    const actual = this.#kernels.xxh3(bytes);
    if (formatHash(actual) !== firstPieceHash) {
      const expected = BigInt(`0x${firstPieceHash}`);
      throw new ChecksumError('model file: checksum of a tensor', { name, expected, actual });
    }
    if (encoded === undefined) this.#whole = bytes;
    else this.#start(bytes);
  }

  #start(bytes: Uint8Array): void {
    const { name, dtype, shape, pieces } = this.tensor;
    const header = parseHoloTensorHeader(bytes);
    const layout = parseHoloTensorLayout(header, bytes.subarray(HOLO_HEADER_SIZE));
    const sizes = layout.entries.map(({ compressedSize }) => compressedSize);
    const fits =
      header.dtype === dtype &&
      elementCount(header.shape) === elementCount(shape) &&
      sizes.length === pieces.length - 1 &&
      layout.entries.every(({ index }, i) => index === i && sizes[i] === pieces[i + 1]!.length);
    if (!fits) throw new FormatError('model file: header of another tensor', { name });
    this.#layout = layout;
    this.#decoder = new HoloTensorDecoder(header, { kernels: this.#kernels });
  }

  async #addFragment(index: number, stored: Uint8Array): Promise<void> {
    const layout = this.#layout;
    const entry = layout?.entries[index];
    if (layout === undefined || entry === undefined) {
      throw new FormatError('model file: fragment before its header', {
        name: this.tensor.name,
        fragmentIndex: index,
      });
    }
    this.#decoder!.addFragment(await this.#unpacker.unpack({ header: layout.header, entry, stored }));
  }
}

import { withRoom } from '../bytes/room.js';
import { type AllLimits, Budget, checkTensorBytes, type LimitsOption, limitsOf } from '../checks/limits.js';
import { NOTHING } from '../stage.js';
import type { DType } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import {
  checkOutputElements,
  type Float16ArrayLike,
  type Tensor,
  type TensorData,
  viewBytes,
  viewElements,
} from '../tensor/tensor.js';
import type { DecodeBlock } from './decodeBlock.js';
import type { HctPart, HctStart } from './parts.js';

/** A tensor from an HCT file, with what dequantization needs. */
export interface HctTensor extends Tensor<DType> {
  readonly name: string | undefined;
  readonly quantization: QuantizationMetadata | undefined;
  readonly groupScales: Uint16Array | undefined;
}

export interface CollectOptions extends LimitsOption {
  /**
   * The array to fill, which becomes the `data` of the tensor. Default: a new one, whose pages the system must map first, which
   * takes longer than decoding.
   */
  readonly out?: TensorData | Float16ArrayLike | undefined;
}

/**
 * Collects the parts of one file into one tensor. It is allocated once, with the first block, if the index pays for it; if
 * not, as far as the blocks so far pay for it. Blocks are decoded in place.
 */
export class TensorCollector {
  readonly #limits: AllLimits;
  readonly #out: CollectOptions['out'];
  #bytes: Uint8Array = new Uint8Array(0);
  #start: HctStart | undefined;

  constructor(options: CollectOptions = {}) {
    this.#limits = limitsOf(options);
    this.#out = options.out;
  }

  /**
   * Takes the next part; gives the tensor with the last one.
   * @throws LimitError; ArgumentError for an `out` of another type or length; what `decode` throws
   */
  add(part: HctPart, decode: DecodeBlock): Iterable<HctTensor> {
    if (part.kind === 'block') {
      decode(part, this.#room(part.byteOffset, part.byteLength));
      return NOTHING;
    }
    if (part.kind === 'start') {
      const { dtype, originalSize } = part.header;
      checkTensorBytes(this.#limits, originalSize);
      if (this.#out !== undefined) {
        checkOutputElements(this.#out, dtype, originalSize);
        this.#bytes = viewBytes(this.#out);
      }
      this.#start = part;
      return NOTHING;
    }
    const { header, quantization } = this.#start!;
    const tensor = {
      dtype: header.dtype,
      shape: part.shape,
      data: (this.#out as TensorData | undefined) ?? viewElements(header.dtype, this.#bytes),
      name: part.name,
      quantization,
      groupScales: part.groupScales,
    };
    return [tensor];
  }

  /** Takes bytes that have been decoded elsewhere. The start must have been added before. */
  place(bytes: Uint8Array, byteOffset: number): Iterable<never> {
    this.#room(byteOffset, bytes.length).set(bytes);
    return NOTHING;
  }

  /** The place of bytes that come next. */
  #room(byteOffset: number, byteLength: number): Uint8Array {
    const end = byteOffset + byteLength;
    if (end > this.#bytes.length) {
      const { header, blocks, blocksOffset } = this.#start!;
      const { offset } = blocks.entry(Math.floor(byteOffset / header.blockSize));
      const { most } = new Budget(this.#limits, blocksOffset + offset);
      this.#bytes = withRoom(this.#bytes, end, header.originalSize, most);
    }
    return this.#bytes.subarray(byteOffset, end);
  }
}

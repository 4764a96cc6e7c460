import { type AllLimits, checkTensorBytes, type LimitsOption, limitsOf } from '../limits.js';
import type { DType } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import { type Tensor, viewElements } from '../tensor/tensor.js';
import type { DecodeBlock } from './decodeBlock.js';
import type { HctPart } from './parts.js';

/** A tensor from an HCT file, with what dequantization needs. */
export interface HctTensor extends Tensor<DType> {
  readonly name: string | undefined;
  readonly quantization: QuantizationMetadata | undefined;
  readonly groupScales: Uint16Array | undefined;
}

/**
 * Collects the parts of one file into one tensor, which is allocated once, when the header has arrived. Blocks are
 * decoded in place.
 */
export class TensorCollector {
  readonly #limits: AllLimits;
  #bytes = new Uint8Array(0);
  #dtype: DType = 'F32';
  #quantization: QuantizationMetadata | undefined;

  constructor(options?: LimitsOption) {
    this.#limits = limitsOf(options);
  }

  /**
   * Takes the next part; gives the tensor with the last one.
   * @throws LimitError; what `decode` throws
   */
  *add(part: HctPart, decode: DecodeBlock): Iterable<HctTensor> {
    if (part.kind === 'start') {
      const { originalSize, dtype } = part.header;
      checkTensorBytes(this.#limits, originalSize);
      this.#bytes = new Uint8Array(originalSize);
      this.#dtype = dtype;
      this.#quantization = part.quantization;
    } else if (part.kind === 'block') {
      decode(part, this.#bytes.subarray(part.byteOffset, part.byteOffset + part.byteLength));
    } else {
      yield {
        dtype: this.#dtype,
        shape: part.shape,
        data: viewElements(this.#dtype, this.#bytes),
        name: part.name,
        quantization: this.#quantization,
        groupScales: part.groupScales,
      };
    }
  }

  /** Takes bytes that have been decoded elsewhere. The start must have been added before. */
  place(bytes: Uint8Array, byteOffset: number): Iterable<never> {
    this.#bytes.set(bytes, byteOffset);
    return [];
  }
}

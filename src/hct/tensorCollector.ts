import { LimitError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import type { Tensor } from '../tensor/tensor.js';
import { viewElements } from '../tensor/views.js';
import type { DecodeBlock } from './decodeBlock.js';
import type { HctPart } from './parts.js';

/** Cap on one tensor in memory unless the caller raises it: a header alone must not make anyone allocate more. */
export const DEFAULT_MAX_TENSOR_BYTES = 2 ** 30;

export interface TensorCollectOptions {
  /** Largest tensor to allocate, in bytes. Default 2^30 (1 GiB). */
  readonly maxBytes?: number | undefined;
}

/** A tensor out of an HCT file, with what is needed to turn quantized elements into numbers. */
export interface HctTensor extends Tensor<DType> {
  readonly name: string | undefined;
  readonly quantization: QuantizationMetadata | undefined;
  readonly groupScales: Uint16Array | undefined;
}

/**
 * Collects the parts of one file into one tensor: allocated once, when the header is there, and decoded straight
 * into its place.
 */
export class TensorCollector {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);
  #dtype: DType = 'F32';
  #quantization: QuantizationMetadata | undefined;

  constructor({ maxBytes = DEFAULT_MAX_TENSOR_BYTES }: TensorCollectOptions = {}) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next part; gives the tensor with the last one.
   * @throws LimitError; what `decode` throws
   */
  *add(part: HctPart, decode: DecodeBlock): Iterable<HctTensor> {
    if (part.kind === 'start') {
      const { originalSize, dtype } = part.header;
      assertTensorFits(originalSize, this.#maxBytes);
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

  /** Takes bytes that have been decoded elsewhere, after the start. */
  place(bytes: Uint8Array, byteOffset: number): Iterable<never> {
    this.#bytes.set(bytes, byteOffset);
    return [];
  }
}

/** @throws LimitError */
export function assertTensorFits(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) {
    throw new LimitError('tensor larger than the cap (option maxBytes)', {
      expected: maxBytes,
      actual: bytes,
    });
  }
}

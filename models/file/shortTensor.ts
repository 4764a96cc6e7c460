import { FieldReader } from '../../src/bytes/fieldReader.js';
import { readNumbers } from '../../src/encodings/embedded/signedNumbers.js';
import { ChecksumError, FormatError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { elementCount } from '../../src/tensor/dtype.js';
import { invalid, MAX_SHORT } from './firstPiece.js';
import type { ModelFileTensor } from './modelFile.js';

/**
 * A small F32 tensor in two parts: sign, exponent and the highest bits of the mantissa of all elements, and the other bits. It is too
 * small for an encoding, but whole it would take many bytes before all that is useful: a network works long before it needs the
 * lowest bits of its biases and norms.
 */

export const MANTISSA_BITS = 23;
/** The exponent field of infinities and NaNs. */
const NOT_FINITE = 0xff;

/** What the first part has of an element. */
export interface HighBits {
  /** The exponent field. */
  readonly exponent: number;
  /** The sign above the highest bits of the mantissa. */
  readonly bits: number;
}

export class ShortTensorDecoder {
  readonly #hash: Kernels['xxh3'];
  readonly #tensor: ModelFileTensor;
  /** Of the mantissa, in the first part. */
  readonly #highBits: number;
  readonly #hashes: readonly bigint[];
  #patterns: Uint32Array | undefined;
  #high: readonly HighBits[] = [];
  #complete = false;

  /**
   * @param first the first piece, verified
   * @throws FormatError, TruncatedError
   */
  constructor(tensor: ModelFileTensor, first: Uint8Array, { xxh3 }: Pick<Kernels, 'xxh3'>) {
    const fields = new FieldReader(first.subarray(1), 'first piece of the tensor');
    const elements = elementCount(tensor.shape);
    const { dtype, pieces } = tensor;
    if (dtype !== 'F32') throw invalid('its form', 'that of another dtype', dtype);
    if (elements > MAX_SHORT) throw invalid('its form', `at most ${MAX_SHORT} elements`, elements);
    if (pieces.length !== 3) throw invalid('its form', '3 pieces', pieces.length);
    this.#tensor = tensor;
    this.#hash = xxh3;
    this.#highBits = fields.u8();
    if (this.#highBits < 1 || this.#highBits >= MANTISSA_BITS)
      throw invalid('the number of bits', `1 to ${MANTISSA_BITS - 1}`, this.#highBits);
    this.#hashes = [fields.u64(), fields.u64()];
    if (fields.position < fields.bytes.length)
      throw invalid('its length', fields.position, fields.bytes.length);
  }

  get complete(): boolean {
    return this.#complete;
  }

  get cosine(): number {
    if (this.#complete) return 1;
    return this.#patterns === undefined ? 0 : this.#tensor.encoded!.cosines[0]!;
  }

  /** The best elements so far: their own bits once both parts have come. */
  get values(): Float32Array | undefined {
    const patterns = this.#patterns;
    return patterns && new Float32Array(patterns.slice().buffer);
  }

  /**
   * @param fragment 0 or 1, in this order
   * @throws ChecksumError, FormatError, TruncatedError
   */
  add(fragment: number, bytes: Uint8Array): void {
    const { name: tensor } = this.#tensor;
    const [expected, actual] = [this.#hashes[fragment]!, this.#hash(bytes)];
    if (actual !== expected) {
      const details = { tensor, fragmentIndex: fragment, expected, actual };
      throw new ChecksumError('Cannot use the part of the tensor: wrong checksum', details);
    }
    if (fragment === 0) this.#addHigh(bytes);
    else if (this.#patterns !== undefined) this.#addLow(bytes);
    else {
      const details = { tensor, fragmentIndex: fragment };
      throw new FormatError('Cannot use the part of the tensor: the part before it is missing', details);
    }
  }

  #addHigh(bytes: Uint8Array): void {
    const fields = new FieldReader(bytes, 'first part of the tensor');
    const base = fields.u8();
    const exponents = readNumbers(fields, elementCount(this.#tensor.shape));
    const bits = unpackBits(fields, exponents.length, this.#highBits + 1);
    this.#high = bits.map((own, i) => {
      const exponent = base + exponents[i]!;
      if (exponent < 0 || exponent > NOT_FINITE) throw invalid('an exponent', `0 to ${NOT_FINITE}`, exponent);
      return { exponent, bits: own };
    });
    this.#patterns = Uint32Array.from(this.#high, (own) => middlePattern(own, this.#highBits));
  }

  #addLow(bytes: Uint8Array): void {
    const width = MANTISSA_BITS - this.#highBits;
    const bits = unpackBits(new FieldReader(bytes, 'second part of the tensor'), this.#high.length, width);
    this.#patterns = Uint32Array.from(this.#high, (own, i) => patternOf(own, this.#highBits) | bits[i]!);
    this.#complete = true;
  }
}

/** The number in the middle of those that begin with these bits; 0, infinities and NaNs are themselves. */
export function middlePattern(high: HighBits, highBits: number): number {
  const lowest = patternOf(high, highBits);
  const isSpecial = high.exponent === NOT_FINITE || (lowest & 0x7fff_ffff) === 0;
  return isSpecial ? lowest : lowest | (1 << (MANTISSA_BITS - highBits - 1));
}

function patternOf({ exponent, bits }: HighBits, highBits: number): number {
  const sign = bits >>> highBits;
  const mantissa = bits - (sign << highBits);
  return ((sign << 31) | (exponent << MANTISSA_BITS) | (mantissa << (MANTISSA_BITS - highBits))) >>> 0;
}

/** Fields of as many bits each, in a bit stream up to the end. */
function unpackBits(fields: FieldReader, count: number, width: number): number[] {
  const bytes = fields.take(Math.ceil((count * width) / 8));
  if (fields.position < fields.bytes.length)
    throw invalid('the length of a part', fields.position, fields.bytes.length);
  return Array.from({ length: count }, (_, i) => {
    let value = 0;
    for (let bit = 0; bit < width; bit++) {
      const at = i * width + bit;
      value |= ((bytes[at >> 3]! >> (at & 7)) & 1) << bit;
    }
    return value;
  });
}

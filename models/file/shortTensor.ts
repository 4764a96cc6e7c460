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
const MANTISSA = 2 ** MANTISSA_BITS - 1;
/** The exponent field of infinities and NaNs. */
const NOT_FINITE = 0xff;

export class ShortTensorDecoder {
  readonly #hash: Kernels['xxh3'];
  readonly #tensor: ModelFileTensor;
  /** Of the mantissa, in the first part. */
  readonly #highBits: number;
  readonly #hashes: readonly bigint[];
  #patterns: Uint32Array | undefined;
  /** What the first part has of the elements, with zeros for the other bits. */
  #high = new Uint32Array(0);
  #complete = false;

  /**
   * @param first the first piece, verified
   * @throws FormatError, TruncatedError
   */
  constructor(tensor: ModelFileTensor, first: Uint8Array, { xxh3 }: Pick<Kernels, 'xxh3'>) {
    const fields = new FieldReader(first.subarray(1), 'first piece of the tensor');
    const { dtype, shape, pieces } = tensor;
    if (dtype !== 'F32' || elementCount(shape) > MAX_SHORT || pieces.length !== 3) {
      throw invalid('its form', `at most ${MAX_SHORT} elements of F32 in 3 pieces`, `${dtype} [${shape}]`);
    }
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
    // The sign is above the highest bits of the mantissa.
    const width = this.#highBits;
    this.#high = Uint32Array.from(unpackBits(fields, exponents.length, width + 1), (bits, i) => {
      const exponent = base + exponents[i]!;
      if (exponent < 0 || exponent > NOT_FINITE) throw invalid('an exponent', `0 to ${NOT_FINITE}`, exponent);
      const mantissa = (bits << (MANTISSA_BITS - width)) & MANTISSA;
      return ((bits >> width) << 31) | (exponent << MANTISSA_BITS) | mantissa;
    });
    this.#patterns = this.#high.map((own) => middlePattern(own, width));
  }

  #addLow(bytes: Uint8Array): void {
    const width = MANTISSA_BITS - this.#highBits;
    const bits = unpackBits(new FieldReader(bytes, 'second part of the tensor'), this.#high.length, width);
    this.#patterns = this.#high.map((own, i) => own | bits[i]!);
    this.#complete = true;
  }
}

/**
 * The number in the middle of those that begin as this one; 0, infinities and NaNs are themselves.
 * @param lowest of them
 * @param highBits of the mantissa, which they have in common
 */
export function middlePattern(lowest: number, highBits: number): number {
  const exponent = (lowest >> MANTISSA_BITS) & NOT_FINITE;
  const isSpecial = exponent === NOT_FINITE || lowest << 1 === 0;
  return isSpecial ? lowest : lowest | (1 << (MANTISSA_BITS - highBits - 1));
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

import { concatenate, viewOf } from '../../src/bytes/binary.js';
import { packNumbers } from '../../src/encodings/embedded/signedNumbers.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { similarity } from '../../src/tensor/similarity.js';
import { FORMS } from './firstPiece.js';
import { MANTISSA_BITS, middlePattern } from './shortTensor.js';

/**
 * Bits of mantissas in the first part. Their error is then a hundredth of that of matrices with a cosine of 0.998, where networks begin
 * to work; each more would cost a tenth of the first part.
 */
const HIGH_BITS = 5;
const LOW_BITS = MANTISSA_BITS - HIGH_BITS;

/**
 * Cuts an F32 tensor in two parts, see {@link ShortTensorDecoder}.
 * @param bytes its elements
 */
export function encodeShortTensor(
  bytes: Uint8Array,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
): { readonly cosines: readonly number[]; readonly pieces: readonly Uint8Array[] } {
  const view = viewOf(bytes);
  const patterns = Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
  const high = Array.from(patterns, (pattern) => ({
    exponent: (pattern >>> MANTISSA_BITS) & 0xff,
    bits: ((pattern >>> 31) << HIGH_BITS) | ((pattern >>> LOW_BITS) & (2 ** HIGH_BITS - 1)),
  }));
  const exponents = high.map(({ exponent }) => exponent);
  const base = exponents.toSorted((a, b) => a - b)[exponents.length >> 1]!;
  const parts = [
    concatenate([
      Uint8Array.of(base),
      packNumbers(exponents.map((exponent) => exponent - base)),
      packBits(
        high.map(({ bits }) => bits),
        HIGH_BITS + 1,
      ),
    ]),
    packBits(
      Array.from(patterns, (pattern) => pattern & (2 ** LOW_BITS - 1)),
      LOW_BITS,
    ),
  ];
  const first = new Uint8Array(2 + 8 * parts.length);
  first.set([FORMS.short, HIGH_BITS]);
  for (const [i, part] of parts.entries()) viewOf(first).setBigUint64(2 + 8 * i, xxh3(part), true);
  const middle = patterns.map((pattern) => middlePattern(pattern & -(2 ** LOW_BITS), HIGH_BITS));
  const { cosine } = similarity(new Float32Array(patterns.buffer), new Float32Array(middle.buffer));
  return { cosines: [Math.min(1, Math.max(0, cosine)), 1], pieces: [first, ...parts] };
}

/** Fields of `width` bits each. */
function packBits(values: readonly number[], width: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((values.length * width) / 8));
  for (const [i, value] of values.entries()) {
    for (let bit = 0; bit < width; bit++) {
      const at = i * width + bit;
      bytes[at >> 3]! |= ((value >>> bit) & 1) << (at & 7);
    }
  }
  return bytes;
}

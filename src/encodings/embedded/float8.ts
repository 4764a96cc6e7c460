import { FormatError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import type { Float8Type } from '../../tensor/float8.js';

/**
 * Floats of eight bits as patterns of 16, which the planes and the remainder take: their numbers without subnormal ones.
 * The exponent field of the smallest number is 1, that of NaNs and infinities has all bits set.
 */

interface Float8Form {
  readonly layout: FloatLayout;
  /** Of the elements themselves; and the first of their magnitudes that is not finite. */
  readonly mantissaBits: number;
  readonly special: number;
}

const TAPERED = { bytes: 2, tapered: true } as const;

const FORMS: Readonly<Record<Float8Type, Float8Form>> = {
  F8_E4M3: {
    layout: { ...TAPERED, mantissaBits: 3, exponentBits: 5, bias: 10 },
    mantissaBits: 3,
    special: 0x7f,
  },
  F8_E5M2: {
    layout: { ...TAPERED, mantissaBits: 2, exponentBits: 6, bias: 17 },
    mantissaBits: 2,
    special: 0x7c,
  },
};

const SIGN = 0x8000;
/** In place of a byte: no element has this pattern. */
const NONE = 0x80;

export function float8Layout(dtype: Float8Type): FloatLayout {
  return FORMS[dtype].layout;
}

/** The pattern of each magnitude, 0 to 127. */
function patternsOf(dtype: Float8Type): Uint16Array {
  const { layout, mantissaBits, special } = FORMS[dtype];
  return Uint16Array.from({ length: 128 }, (_, magnitude) => {
    const mantissa = magnitude & ((1 << mantissaBits) - 1);
    if (magnitude >= special) return ((2 ** layout.exponentBits - 1) << mantissaBits) | mantissa;
    const exponent = magnitude >> mantissaBits;
    // A normal number keeps its mantissa; a subnormal one begins with its highest bit.
    if (exponent > 0) return magnitude + (mantissaBits << mantissaBits);
    if (magnitude === 0) return 0;
    const highest = 31 - Math.clz32(magnitude);
    return (
      ((highest + 1) << mantissaBits) | ((magnitude << (mantissaBits - highest)) & ((1 << mantissaBits) - 1))
    );
  });
}

export function float8Patterns(dtype: Float8Type, bytes: Uint8Array): Uint16Array {
  const magnitudes = patternsOf(dtype);
  const all = Uint16Array.from({ length: 256 }, (_, byte) => magnitudes[byte & 0x7f]! | ((byte & 0x80) << 8));
  const patterns = new Uint16Array(bytes.length);
  for (let i = 0; i < patterns.length; i++) patterns[i] = all[bytes[i]!]!;
  return patterns;
}

/** The inverse. @throws FormatError for a pattern that is none of an element */
export function float8Elements(dtype: Float8Type, patterns: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(256).fill(NONE);
  patternsOf(dtype).forEach((pattern, magnitude) => {
    bytes[pattern] = magnitude;
  });
  const out = new Uint8Array(patterns.length);
  let wrong = 0;
  for (let i = 0; i < out.length; i++) {
    const pattern = patterns[i]!;
    const byte = bytes[pattern & 0xff]!;
    wrong |= (byte & NONE) | (pattern & (SIGN - 0x100));
    out[i] = byte | ((pattern & SIGN) >> 8);
  }
  if (wrong === 0) return out;
  throw new FormatError(`Cannot read the embedded remainder: no ${dtype} element has such bits`);
}

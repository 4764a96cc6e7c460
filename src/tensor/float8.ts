/**
 * Floats of eight bits, by the OCP 8-bit Floating Point Specification, revision 1.0: to and from binary32, over whole arrays.
 */

export type Float8Type = 'F8_E4M3' | 'F8_E5M2';

interface Float8 {
  readonly mantissaBits: number;
  readonly bias: number;
  /** The pattern of the largest finite number, and the number. */
  readonly largest: number;
  readonly largestNumber: number;
  /** Patterns without their signs, of which E4M3 has no infinity. */
  readonly infinity: number | undefined;
  readonly nan: number;
}

const TYPES: Readonly<Record<Float8Type, Float8>> = {
  F8_E4M3: {
    mantissaBits: 3,
    bias: 7,
    largest: 0x7e,
    largestNumber: 448,
    infinity: undefined,
    nan: 0x7f,
  },
  F8_E5M2: {
    mantissaBits: 2,
    bias: 15,
    largest: 0x7b,
    largestNumber: 57344,
    infinity: 0x7c,
    nan: 0x7e,
  },
};

export function isFloat8(dtype: string): dtype is Float8Type {
  return dtype === 'F8_E4M3' || dtype === 'F8_E5M2';
}

/** The numbers of all 256 patterns. */
export function float8Numbers(dtype: Float8Type): Float32Array {
  const { mantissaBits, bias, largest, infinity } = TYPES[dtype];
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const magnitude = byte & 0x7f;
    if (magnitude <= largest) return float8Number(byte, mantissaBits, bias);
    return magnitude !== infinity
      ? Number.NaN
      : byte < 0x80
        ? Number.POSITIVE_INFINITY
        : Number.NEGATIVE_INFINITY;
  });
}

/** The number of a finite pattern. */
export function float8Number(byte: number, mantissaBits: number, bias: number): number {
  const exponent = (byte & 0x7f) >> mantissaBits;
  const fraction = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return byte < 0x80 ? magnitude : -magnitude;
}

/** Patterns to numbers. */
export function float8ToFloat32(dtype: Float8Type, bytes: Uint8Array, out: Float32Array): Float32Array {
  const numbers = float8Numbers(dtype);
  for (let i = 0; i < out.length; i++) out[i] = numbers[bytes[i]!]!;
  return out;
}

/**
 * Numbers to patterns, rounded to the nearest, ties to even. What is finite stays finite: it is clamped to the range. E4M3 has
 * NaN for an infinity.
 */
export function float32ToFloat8(dtype: Float8Type, values: Float32Array): Uint8Array {
  const { mantissaBits, bias, largest, largestNumber, infinity, nan } = TYPES[dtype];
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint8Array(values.length);
  const shift = 23 - mantissaBits;
  // The exponent field of the smallest normal number, in single precision.
  const normal = 128 - bias;
  // To this, subnormal numbers are added: one step of theirs is its last bit.
  const sum = Float32Array.of(0);
  const sumBits = new Uint32Array(sum.buffer);
  const base = 2 ** (24 - bias - mantissaBits);
  sum[0] = base;
  const baseBits = sumBits[0]!;
  for (let i = 0; i < values.length; i++) {
    const pattern = bits[i]!;
    const magnitude = pattern & 0x7fffffff;
    let byte: number;
    if (magnitude > 0x7f800000) byte = nan;
    else if (magnitude === 0x7f800000) byte = infinity ?? nan;
    else if (Math.abs(values[i]!) >= largestNumber) byte = largest;
    else if (magnitude >>> 23 >= normal) {
      const half = (1 << (shift - 1)) - 1 + ((magnitude >>> shift) & 1);
      byte = (magnitude - ((normal - 1) << 23) + half) >>> shift;
    } else {
      sum[0] = base + Math.abs(values[i]!);
      byte = sumBits[0]! - baseBits;
    }
    result[i] = byte | ((pattern >>> 24) & 0x80);
  }
  return result;
}

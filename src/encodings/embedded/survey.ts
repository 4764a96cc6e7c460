/** Counts of exponents, which decide where planes begin and end. */
export interface Survey {
  readonly elements: number;
  readonly zeros: number;
  /** NaNs and infinities. */
  readonly exceptions: number;
  /** Σ x² over the finite ones. */
  readonly energy: number;
  /** Finite weights other than 0, by floor(log2 |x|) + EXPONENT_OFFSET. */
  readonly exponents: Uint32Array;
}

/** Exponents of single-precision numbers, subnormal ones too, begin at -149. */
export const EXPONENT_OFFSET = 149;
const EXPONENTS = EXPONENT_OFFSET + 128;

/** Patterns of 16 bits. */
const PATTERNS = 1 << 16;

/** Surveys numbers; with `counts`, as if each were there so many times. */
export function survey(values: Float32Array, counts?: Uint32Array): Survey {
  const exponents = new Uint32Array(EXPONENTS);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let elements = 0;
  let zeros = 0;
  let exceptions = 0;
  let energy = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    const count = counts === undefined ? 1 : counts[i]!;
    elements += count;
    if (magnitude >= 0x7f800000) {
      exceptions += count;
      continue;
    }
    const value = values[i]!;
    energy += count * (value * value);
    if (magnitude >= 0x800000) exponents[(magnitude >>> 23) - 127 + EXPONENT_OFFSET]! += count;
    else if (magnitude === 0) zeros += count;
    else exponents[31 - Math.clz32(magnitude)]! += count;
  }
  return { elements, zeros, exceptions, energy, exponents };
}

/** The same for patterns of 16 bits, of which there are few different ones. */
export function surveyPatterns(
  patterns: Uint16Array,
  toFloat32: (patterns: Uint16Array) => Float32Array,
): Survey {
  // Neighbours are counted apart: adding to the same place twice in a row would have to wait.
  const even = new Uint32Array(PATTERNS);
  const odd = new Uint32Array(PATTERNS);
  for (let i = 0; i + 1 < patterns.length; i += 2) {
    even[patterns[i]!]! += 1;
    odd[patterns[i + 1]!]! += 1;
  }
  if (patterns.length % 2 === 1) even[patterns.at(-1)!]! += 1;
  const all = new Uint16Array(PATTERNS);
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    all[pattern] = pattern;
    even[pattern]! += odd[pattern]!;
  }
  return survey(toFloat32(all), even);
}

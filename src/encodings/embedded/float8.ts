import { FormatError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { type Float8Type, float8Numbers } from '../../tensor/float8.js';

/**
 * Floats of eight bits as patterns of 16, by their layout in `elements.ts`: which decoders load when a tensor has them, and
 * that layout before.
 */

interface Float8Tables {
  /** The pattern of each element. */
  readonly patterns: Uint16Array;
  /** The element of each pattern; -1: there is none. */
  readonly elements: Int16Array;
}

/** Made once: tiles are decoded one by one. */
const TABLES = new Map<Float8Type, Float8Tables>();

function tablesOf(dtype: Float8Type, layout: FloatLayout): Float8Tables {
  let tables = TABLES.get(dtype);
  if (tables === undefined) {
    const patterns = patternsOf(dtype, layout);
    const elements = new Int16Array(2 ** 16).fill(-1);
    patterns.forEach((pattern, byte) => {
      elements[pattern] = byte;
    });
    tables = { patterns, elements };
    TABLES.set(dtype, tables);
  }
  return tables;
}

/** The pattern of each element: the upper bits of its number in single precision, with another bias. */
function patternsOf(dtype: Float8Type, { mantissaBits: m, exponentBits, bias }: FloatLayout): Uint16Array {
  const numbers = float8Numbers(dtype);
  return Uint16Array.from(new Uint32Array(numbers.buffer), (bits, byte) => {
    const number = numbers[byte]!;
    const magnitude = Number.isFinite(number)
      ? Math.max(0, ((bits & 0x7fffffff) >>> (23 - m)) - ((127 - bias) << m))
      : (((1 << exponentBits) - 1) << m) | (byte & ((1 << m) - 1));
    return magnitude | ((byte & 0x80) << 8);
  });
}

export function float8Patterns(dtype: Float8Type, layout: FloatLayout, bytes: Uint8Array): Uint16Array {
  const { patterns } = tablesOf(dtype, layout);
  const out = new Uint16Array(bytes.length);
  for (let i = 0; i < out.length; i++) out[i] = patterns[bytes[i]!]!;
  return out;
}

/** The inverse. @throws FormatError for a pattern that is none of an element */
export function float8Elements(dtype: Float8Type, layout: FloatLayout, patterns: Uint16Array): Uint8Array {
  const { elements } = tablesOf(dtype, layout);
  const out = new Uint8Array(patterns.length);
  let all = 0;
  for (let i = 0; i < out.length; i++) {
    const byte = elements[patterns[i]!]!;
    all |= byte;
    out[i] = byte;
  }
  if (all >= 0) return out;
  throw new FormatError(`Cannot read the embedded remainder: no ${dtype} element has such bits`);
}

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import {
  bfloat16ToFloat32,
  float32ToBfloat16,
  float32ToHalf,
  halfToFloat32,
} from '../../../src/tensor/float.js';
import { throws } from '../../helpers/assertions.js';

/** A 16-bit format by its fields; everything below follows from these two numbers. */
interface Format {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}
const HALF: Format = { exponentBits: 5, mantissaBits: 10 };
const BFLOAT16: Format = { exponentBits: 8, mantissaBits: 7 };

const ALL = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);

/** The value of a pattern by the definition of the format, in double precision. */
function valueOfPattern(pattern: number, { exponentBits, mantissaBits }: Format): number {
  const sign = pattern >> 15 ? -1 : 1;
  const mantissa = pattern & (2 ** mantissaBits - 1);
  const exponent = (pattern & 0x7fff) >> mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

/**
 * Rounds to nearest even by searching the ordered finite patterns for the neighbours and comparing exact distances.
 * Doubles hold every value, every difference and every midpoint exactly.
 */
function nearestPattern(bits: number, format: Format, values: Float64Array): number {
  const sign = (bits >>> 31) << 15;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  const infinity = (2 ** format.exponentBits - 1) << format.mantissaBits;
  if (exponent === 0xff && mantissa !== 0) {
    const payload = Number(BigInt(mantissa) >> BigInt(23 - format.mantissaBits));
    return sign | infinity | (payload === 0 ? 2 ** (format.mantissaBits - 1) : payload);
  }
  const value =
    exponent === 0xff
      ? Infinity
      : exponent === 0
        ? mantissa * 2 ** -149
        : (1 + mantissa / 2 ** 23) * 2 ** (exponent - 127);
  if (value >= values[infinity]!) return sign | infinity;
  let below = 0;
  let above = infinity;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (values[middle]! <= value) below = middle;
    else above = middle;
  }
  const down = value - values[below]!;
  const up = values[above]! - value;
  const nearest = down < up || (down === up && below % 2 === 0) ? below : above;
  return sign | nearest;
}

/** The values of the patterns from 0 to infinity, which for rounding stands where the next exponent would begin. */
function magnitudesOf(format: Format): Float64Array {
  const infinity = (2 ** format.exponentBits - 1) << format.mantissaBits;
  const values = Float64Array.from({ length: infinity + 1 }, (_, pattern) => valueOfPattern(pattern, format));
  values[infinity] = 2 ** (2 ** (format.exponentBits - 1));
  return values;
}

function floatBits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Binary32 patterns where rounding decides: around every 16-bit pattern, its midpoints and their neighbours. */
function boundaryPatterns(format: Format, widen: (src: Uint16Array) => Float32Array): Uint32Array {
  const step = 2 ** (23 - format.mantissaBits);
  const patterns: number[] = [];
  for (const bits of floatBits(widen(ALL))) {
    for (const offset of [-1, 0, 1, step / 2 - 1, step / 2, step / 2 + 1])
      patterns.push((bits + offset) >>> 0);
  }
  return Uint32Array.from(patterns);
}

function randomPatterns(count: number): Uint32Array {
  const patterns = new Uint32Array(count);
  let state = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    patterns[i] = state;
  }
  return patterns;
}

/** Patterns whose magnitude lies where halves are subnormal or nearly infinite, which random ones rarely hit. */
function narrowPatterns(count: number): Uint32Array {
  return randomPatterns(count).map((bits) => {
    const exponent = 100 + (((bits >>> 23) & 0xff) % 46);
    return ((bits & 0x807fffff) | (exponent << 23)) >>> 0;
  });
}

for (const [name, format, widen, narrow] of [
  ['half', HALF, halfToFloat32, float32ToHalf],
  ['bfloat16', BFLOAT16, bfloat16ToFloat32, float32ToBfloat16],
] as const) {
  test(`${name}: every pattern has its value, sign of zero and NaN payload`, () => {
    const values = widen(ALL);
    const bits = floatBits(values);
    for (const pattern of ALL) {
      const expected = valueOfPattern(pattern, format);
      if (!Object.is(values[pattern], expected)) assert.unreachable(`${pattern}: ${values[pattern]}`);
      if (Number.isNaN(expected)) {
        const payload = (pattern & (2 ** format.mantissaBits - 1)) * 2 ** (23 - format.mantissaBits);
        assert.is(bits[pattern], ((pattern >> 15) * 2 ** 31 + 0x7f800000 + payload) >>> 0);
      }
    }
  });

  test(`${name}: every pattern survives the way to f32 and back`, () => {
    assert.equal(narrow(widen(ALL)), ALL);
  });

  test(`${name}: rounds as the exact oracle does`, () => {
    const magnitudes = magnitudesOf(format);
    const sets = [boundaryPatterns(format, widen), randomPatterns(50_000), narrowPatterns(50_000)];
    for (const bits of sets) {
      const rounded = narrow(new Float32Array(bits.buffer));
      for (let i = 0; i < bits.length; i++) {
        const expected = nearestPattern(bits[i]!, format, magnitudes);
        if (rounded[i] !== expected) {
          assert.unreachable(`0x${bits[i]!.toString(16)}: expected ${expected}, got ${rounded[i]}`);
        }
      }
    }
  });

  test(`${name}: writes into the array it is given, and only one of the right length`, () => {
    const room = new Float32Array(4);
    const out = room.subarray(1, 3);
    assert.is(widen(ALL.subarray(0x3f80, 0x3f82), out), out);
    assert.is(room[0], 0);
    assert.is(room[3], 0);
    throws(() => widen(ALL, room), ArgumentError, /of length 65536, got a \w+ of length 4$/);
    throws(() => narrow(room, new Uint16Array(5)), ArgumentError, /of length 4, got a \w+ of length 5$/);
  });
}

test('NaN payloads whose top bits are zero stay NaN', () => {
  const bits = Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000);
  const values = new Float32Array(bits.buffer);
  assert.equal(float32ToHalf(values), Uint16Array.of(0x7e00, 0xfe00, 0x7e00));
  assert.equal(float32ToBfloat16(values), Uint16Array.of(0x7fc0, 0xffc0, 0x7fc0));
});

test.run();

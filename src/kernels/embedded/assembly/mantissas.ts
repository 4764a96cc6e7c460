import { peek } from './bits';
import { GATHERED, gatherPair, signLanes } from './gather';
import { completeNarrow, storeTables } from './narrow';

/** What `decodeMantissas` works with: magnitudes of two groups and what gathers them, lengths of fields, tables. */
const LENGTHS: usize = GATHERED;
const TABLES: usize = GATHERED + 16;

/**
 * Patterns of floats whose lowest missing bits follow in a stream, from `position` on; returns the position behind
 * them. Weights of which the planes know nothing get a pattern with their sign alone.
 * @param scale the single-precision number with the exponent field of what 1 in the lowest plane stands for: what is in its
 *   upper bits is the pattern
 * @param complete the exponent field from which on planes hold whole mantissas
 * @param bytes of an element of `out`
 * @param scratch room for 1072 bytes
 * @param absent bitmap of the weights of which the planes know nothing
 * @param out patterns of single precision, or of 16 bits; where such have four bytes each, they are in the upper two
 */
export function decodeMantissas(
  stream: usize,
  position: usize,
  planes: usize,
  stride: usize,
  depth: u32,
  groups: u32,
  signs: usize,
  mantissaBits: u32,
  scale: f32,
  complete: u32,
  bytes: u32,
  scratch: usize,
  absent: usize,
  out: usize,
): usize {
  const tables = scratch + TABLES;
  storeTables(tables);
  for (let g: u32 = 0; g < groups; g += 2, planes += 16) {
    gatherPair(planes, stride, depth, scratch);
    const weights: usize = g + 1 < groups ? 128 : 64;
    for (let i: usize = 0; i < weights; i += 16, signs += 2, absent += 2, out += bytes << 4) {
      const magnitudes = scratch + (i << 2);
      if (mantissaBits == 23) {
        position = completeWide(stream, position, magnitudes, signs, scale, complete, scratch + LENGTHS, absent, out);
      } else if (mantissaBits == 7) {
        position = completeNarrow(stream, position, magnitudes, signs, 7, true, scale, complete, tables, bytes, absent, out);
      } else if (mantissaBits == 10) {
        position = completeNarrow(stream, position, magnitudes, signs, 10, false, scale, complete, tables, bytes, absent, out);
      } else {
        position = completeNarrow(stream, position, magnitudes, signs, mantissaBits, true, scale, complete, tables, bytes, absent, out);
      }
    }
  }
  return position;
}

/** Sixteen single-precision patterns. `lengths` has room for 16 bytes. */
// @ts-ignore: decorator
@inline
function completeWide(
  stream: usize,
  position: usize,
  magnitudes: usize,
  signs: usize,
  scale: f32,
  complete: u32,
  lengths: usize,
  absent: usize,
  out: usize,
): usize {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(scale);
  const ends = i32x4.splat(complete);
  let unknown: u32 = 0;
  for (let i: u32 = 0; i < 16; i += 4) {
    const magnitude = v128.load(magnitudes + (i << 2));
    const number = f32x4.mul(f32x4.convert_i32x4_s(magnitude), factor);
    const none = i32x4.eq(magnitude, zero);
    unknown |= <u32>i32x4.bitmask(none) << i;
    const missing = i32x4.max_s(i32x4.sub(ends, i32x4.shr_u(number, 23)), zero);
    const sign = signLanes(load<u8>(signs + (i >> 3)) >> (i & 4));
    v128.store(out + (i << 2), v128.or(v128.andnot(number, none), sign));
    const halves = i16x8.narrow_i32x4_u(v128.andnot(missing, none), zero);
    v128.store32_lane(lengths + i, i8x16.narrow_i16x8_u(halves, halves), 0);
  }
  store<u16>(absent, <u16>unknown);
  // Twice 23 bits fit one load.
  for (let i: u32 = 0; i < 16; i += 2, out += 8) {
    const bits = peek(stream, position);
    const a = <u64>load<u8>(lengths + i);
    const b = <u64>load<u8>(lengths + i, 1);
    const first = bits & ((<u64>1 << a) - 1);
    const second = (bits >> a) & ((<u64>1 << b) - 1);
    store<u64>(out, load<u64>(out) | first | (second << 32));
    position += <usize>(a + b);
  }
  return position;
}

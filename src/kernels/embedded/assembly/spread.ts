// Bits of a stream to the places of their weights, two groups at a time.

/** 2^(7 - n), twice; sixteen times 1, 15, 31; then 2^n, sixteen times each. */
const ONES: usize = 16;
const BITS: usize = 32;
const PLACES: usize = 48;
const POWERS: usize = 64;

/** Takes 192 bytes. They are in memory, for an engine makes a constant anew wherever it is used. */
export function storeTables(tables: usize): void {
  v128.store(tables, i8x16(-128, 64, 32, 16, 8, 4, 2, 1, -128, 64, 32, 16, 8, 4, 2, 1));
  v128.store(tables, i8x16.splat(1), ONES);
  v128.store(tables, i8x16.splat(15), BITS);
  v128.store(tables, i8x16.splat(31), PLACES);
  for (let n: u32 = 0; n < 8; n++) v128.store(tables + (n << 4), i8x16.splat(<i8>((<u32>1) << n)), POWERS);
}

/**
 * Spreads the bits of a stream, from `position` on, to the places of the bits set in `masks`, the lowest first, and adds
 * them to the bitmaps at `out` of the groups in a list of u32. Behind both lists there is room for one more.
 * Returns the position behind the last bit.
 */
export function spread(stream: usize, position: usize, list: usize, end: usize, masks: usize, out: usize, tables: usize): usize {
  // If their number is odd, the last one is taken with a mask without bits.
  store<u32>(end, 0);
  store<u64>(masks + ((end - list) << 1), 0);
  for (; list < end; list += 8, masks += 16) {
    const mask = v128.load(masks);
    // Bits before each byte of a group.
    let sums = i8x16.popcnt(mask);
    sums = i8x16.add(sums, i64x2.shl(sums, 8));
    sums = i8x16.add(sums, i64x2.shl(sums, 16));
    sums = i8x16.add(sums, i64x2.shl(sums, 32));
    const second = position + <usize>i8x16.extract_lane_u(sums, 7);
    const chunk = i64x2.replace_lane(i64x2.splat(next(stream, position)), 1, next(stream, second));
    position = second + <usize>i8x16.extract_lane_u(sums, 15);
    // Those of the second group are behind 64 of the first.
    const bits = v128.or(i64x2.shl(sums, 8), i64x2(0, 0x4040404040404040));
    const at = v128.and(i16x8.shr_u(bits, 3), v128.load(tables, PLACES));
    const low = i8x16.swizzle(chunk, at);
    const high = i8x16.swizzle(chunk, i8x16.add(at, v128.load(tables, ONES)));
    const factors = i8x16.swizzle(v128.load(tables), v128.and(bits, v128.load(tables, BITS)));
    const windows = i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const others = i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const a = i16x8.mul(windows, i16x8.extend_low_i8x16_u(factors));
    const b = i16x8.mul(others, i16x8.extend_high_i8x16_u(factors));
    const values = i8x16.shuffle(i16x8.add(a, a), i16x8.add(b, b), 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    let rest = mask;
    let spread = i8x16.splat(0);
    for (let power = tables + POWERS; v128.any_true(rest); power += 64) {
      const all = i8x16.splat(-1);
      const one = v128.and(rest, i8x16.add(rest, all));
      const two = v128.and(one, i8x16.add(one, all));
      const three = v128.and(two, i8x16.add(two, all));
      const four = v128.and(three, i8x16.add(three, all));
      spread = v128.or(spread, v128.and(v128.xor(rest, one), has(values, v128.load(power))));
      spread = v128.or(spread, v128.and(v128.xor(one, two), has(values, v128.load(power, 16))));
      spread = v128.or(spread, v128.and(v128.xor(two, three), has(values, v128.load(power, 32))));
      spread = v128.or(spread, v128.and(v128.xor(three, four), has(values, v128.load(power, 48))));
      rest = four;
    }
    const first = out + (<usize>load<u32>(list) << 3);
    const other = out + (<usize>load<u32>(list, 4) << 3);
    store<u64>(first, load<u64>(first) | i64x2.extract_lane(spread, 0));
    store<u64>(other, load<u64>(other) | i64x2.extract_lane(spread, 1));
  }
  return position;
}

// @ts-ignore: decorator
@inline
function has(values: v128, power: v128): v128 {
  return i8x16.eq(v128.and(values, power), power);
}

/** The next 64 bits. */
// @ts-ignore: decorator
@inline
function next(stream: usize, position: usize): u64 {
  const at = stream + (position >> 3);
  const bit = <u64>(position & 7);
  return (load<u64>(at) >> bit) | (load<u64>(at, 1) << (8 - bit));
}

import { gatherPair, signLanes } from './gather';

/**
 * The numbers that the first `depth` planes of a tile stand for. `step` is 1/256 of the lowest one's; `group` has room
 * for 912 bytes.
 */
export function placeWeights(
  planes: usize,
  stride: usize,
  depth: u32,
  groups: u32,
  signs: usize,
  dense: usize,
  centroid: u32,
  zeroCentroid: u32,
  step: f32,
  group: usize,
  out: usize,
): void {
  const inside = i32x4.splat(centroid);
  const steps = f32x4.splat(step);
  const zero = i32x4.splat(0);
  for (let g: u32 = 0; g < groups; g++, signs += 8) {
    if ((g & 1) == 0) gatherPair(planes + (g << 3), stride, depth, group);
    const magnitudes = group + ((g & 1) << 8);
    const outside = i32x4.splat(load<u8>(dense + g) != 0 ? zeroCentroid : 0);
    for (let i: u32 = 0; i < 64; i += 4, out += 16) {
      const magnitude = v128.load(magnitudes + (i << 2));
      const offset = v128.bitselect(outside, inside, i32x4.eq(magnitude, zero));
      const value = f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(i32x4.shl(magnitude, 8), offset)), steps);
      v128.store(out, v128.or(value, signLanes(load<u8>(signs + (i >> 3)) >> (i & 4))));
    }
  }
}

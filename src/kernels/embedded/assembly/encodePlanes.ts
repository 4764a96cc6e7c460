import { weightsOf } from '../../runtime/assembly/groups';
import { encodePlane } from './encodePlane';
import { extract } from './entries';
import { passOver } from './passOver';

/** How a plane is coded, u32, as the caller lays it out: the addresses of its rule of contexts and of its codes. */
const RULE: usize = 0;
const CODES: usize = 4;
/** Bits of significant weights are apart; the scale of a group that makes it dense, i32. */
const IS_APART: usize = 8;
const LEAST_SCALE: usize = 12;
const CODING_BYTES: usize = 16;

/**
 * The planes of a tile to `out`; returns its bytes. `significant`, `counts`, `dense` begin as zeros.
 * @param first planes above it are passed over, and not written
 * @param list room for a u32 a group, and one more
 * @param masks room for a u64 a group, and one more
 * @param batches room for a bit a group, and a byte more
 * @param lengths of the units, u32: of each plane its bits and the signs that follow it
 */
export function encodePlanes(
  weights: u32,
  depth: u32,
  first: u32,
  planes: usize,
  stride: usize,
  signs: usize,
  significant: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  denseFrom: usize,
  threshold: u32,
  denseShift: u32,
  codings: usize,
  extracts: usize,
  list: usize,
  masks: usize,
  batches: usize,
  lengths: usize,
  out: usize,
): usize {
  const groups = (weights + 63) >> 6;
  const start = out;
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, codings += CODING_BYTES, lengths += 8) {
    const leastScale = load<i32>(codings, LEAST_SCALE);
    let bits: usize = 0;
    let ofSigns: usize = 0;
    if (j < first) {
      passOver(plane, groups, significant, counts, dense, scales, threshold, leastScale, denseShift);
    } else {
      bits = encodePlane(
        plane,
        groups,
        significant,
        signs,
        counts,
        dense,
        scales,
        load<u32>(codings, RULE),
        batches,
        load<u32>(codings, CODES),
        load<u32>(codings, IS_APART) != 0,
        denseShift,
        extracts,
        list,
        masks,
        out,
      );
      out += bits;
      ofSigns = encodeSigns(
        weights,
        groups,
        threshold,
        leastScale,
        significant,
        signs,
        counts,
        dense,
        scales,
        denseFrom,
        j,
        extracts,
        list,
        masks,
        out,
      );
      out += ofSigns;
    }
    store<u32>(lengths, bits);
    store<u32>(lengths, ofSigns, 4);
  }
  return out - start;
}

/**
 * Signs of the groups that plane `j` makes dense. Of `counts`, `dense`, `scales` and `denseFrom`, there
 * are whole sixteens, of which the last are not used.
 */
function encodeSigns(
  weights: u32,
  groups: u32,
  threshold: u32,
  leastScale: i32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  denseFrom: usize,
  j: u32,
  extracts: usize,
  list: usize,
  masks: usize,
  out: usize,
): usize {
  const leastCounts = i8x16.splat(<i8>threshold);
  const leastScales = i8x16.splat(<i8>max(leastScale, 0));
  // No scale is more than 255.
  const noScales = i8x16.splat(leastScale > 255 ? 0 : -1);
  let end = list;
  let mask = masks;
  for (let first: u32 = 0; first < groups; first += 16) {
    const states = v128.load(dense + first);
    const ofCounts = i8x16.ge_u(v128.load(counts + first), leastCounts);
    const ofScales = v128.and(i8x16.ge_u(v128.load(scales + first), leastScales), noScales);
    const become = v128.and(v128.or(ofCounts, ofScales), i8x16.eq(states, i8x16.splat(0)));
    if (!v128.any_true(become)) continue;
    v128.store(dense + first, v128.or(states, v128.and(become, i8x16.splat(1))));
    const since = v128.load(denseFrom + first);
    v128.store(denseFrom + first, v128.bitselect(i8x16.splat(<i8>j), since, become));
    const own = groups - first < 16 ? (1 << (groups - first)) - 1 : 0xffff;
    for (let rest = <u32>i8x16.bitmask(become) & own; rest != 0; rest &= rest - 1) {
      const group = first + ctz(rest);
      store<u32>(end, group);
      store<u64>(mask, ~load<u64>(significant + (group << 3)) & weightsOf(group, weights));
      end += 4;
      mask += 8;
    }
  }
  return (extract(signs, list, end, masks, extracts, out, 0) + 7) >> 3;
}

// Planes and signs of a tile. Bit streams have room behind them for what a broken one makes the kernels read: the caller
// compares lengths afterwards.
import { decodeBitmap, deposit, read } from './bitmaps';

/** A plane of a tile; returns the bytes it has read. `deposits` is the table that `deposit` takes. */
export function decodePlane(
  unit: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  plane: usize,
  codes: usize,
  deposits: usize,
  apart: bool,
): usize {
  let stream = unit;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) == 0) continue;
    store<u64>(plane + (group << 3), load<u64>(stream));
    stream += 8;
  }
  if (stream - unit == groups << 3) return stream - unit;
  let position = decodeBitmap(stream, 0, groups, counts, dense, plane, codes);
  if (apart) {
    for (let group: u32 = 0; group < groups; group++) {
      if (load<u8>(dense + group) != 0) continue;
      const at = group << 3;
      const known = load<u64>(significant + at);
      const count = <u32>popcnt(known);
      store<u64>(plane + at, load<u64>(plane + at) | deposit(read(stream, position, count), known, deposits));
      position += count;
    }
  }
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known;
    if (fresh == 0) continue;
    const count = <u32>popcnt(fresh);
    store<u64>(signs + at, load<u64>(signs + at) | deposit(read(stream, position, count), fresh, deposits));
    position += count;
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + count));
  }
  return stream - unit + ((position + 7) >> 3);
}

/** Signs of the groups that become dense; returns the bytes it has read. */
export function decodeSigns(
  unit: usize,
  weights: u32,
  groups: u32,
  threshold: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  deposits: usize,
): usize {
  let position: usize = 0;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0 || load<u8>(counts + group) < threshold) continue;
    store<u8>(dense + group, 1);
    const at = group << 3;
    const left = weights - (group << 6);
    const present: u64 = left >= 64 ? ~(<u64>0) : ((<u64>1) << left) - 1;
    const known = load<u64>(significant + at) | ~present;
    const count = <u32>popcnt(~known);
    const bits = deposit(read(unit, position, count), ~known, deposits);
    store<u64>(signs + at, load<u64>(signs + at) | bits);
    position += count;
  }
  return (position + 7) >> 3;
}

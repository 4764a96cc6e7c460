// Planes and signs of a tile. Bit streams have room behind them for what a broken one makes the kernels read: the caller
// compares lengths afterwards.
import { decodeBitmaps } from './bitmaps';
import { contextOf } from './contexts';
import { weightsOf } from '../../runtime/assembly/groups';
import { deposit, read } from './bits';

/**
 * A tile, as the caller lays it out: u32 addresses, but for the number of groups. The list has room for a u32 a group. At
 * the end, numbers that are written: of groups in the list, and of bytes that have been read of the unit.
 */
const UNIT: usize = 0;
const GROUPS: usize = 4;
const SIGNIFICANT: usize = 8;
const SIGNS: usize = 12;
const COUNTS: usize = 16;
const DENSE: usize = 20;
const PLANE: usize = 24;
const SCALES: usize = 28;
const LIST: usize = 32;
const LISTED: usize = 36;
const USED: usize = 40;

/** In `DENSE`: the planes after the first since the signs. That one is before it. */
const LATER_DENSE: u32 = 2;

/** What is stored there of a tile with a group for whose context no codes were given; they have 1 as their address. */
const NO_CODES: u32 = 0xffffffff;
const NO_CODE: u32 = 1;

/**
 * A plane of two tiles; all fields of the second may be 0. `spreads` and `deposits` are the tables that bitmaps take.
 * @param scratch room for 24 bytes
 */
export function decodePlanes(
  tile: usize,
  other: usize,
  codes: usize,
  spreads: usize,
  deposits: usize,
  apart: bool,
  rule: usize,
  scratch: usize,
): void {
  const stream = takeDense(tile, codes, rule);
  const otherStream = takeDense(other, codes, rule);
  decodeBitmaps(
    stream,
    load<u32>(tile, LIST),
    load<u32>(tile, LISTED),
    load<u32>(tile, PLANE),
    otherStream,
    load<u32>(other, LIST),
    load<u32>(other, LISTED),
    load<u32>(other, PLANE),
    codes,
    spreads,
    scratch,
  );
  if (stream != 0) finish(tile, stream, load<u32>(scratch), deposits, apart);
  if (otherStream != 0) finish(other, otherStream, load<u32>(scratch, 4), deposits, apart);
}

/**
 * The planes of dense groups as they are, and a list of the others with their contexts; returns where the bits of these
 * begin, or 0 where they lack codes. Which groups are dense is random: branches would be mispredicted.
 */
function takeDense(tile: usize, codes: usize, rule: usize): usize {
  const groups = load<u32>(tile, GROUPS);
  const dense = <usize>load<u32>(tile, DENSE);
  const counts = <usize>load<u32>(tile, COUNTS);
  const scales = <usize>load<u32>(tile, SCALES);
  const plane = <usize>load<u32>(tile, PLANE);
  const list = <usize>load<u32>(tile, LIST);
  let stream = <usize>load<u32>(tile, UNIT);
  let end = list;
  let missing: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    const coded = u32(state != LATER_DENSE);
    const context = contextOf(rule, load<u8>(counts + group), state, load<u8>(scales + group));
    missing |= coded & u32(load<u32>(codes + <usize>(context * 12), 4) == NO_CODE);
    store<u32>(end, group | (context << 16));
    end += <usize>coded << 2;
    // Of a coded group, its bitmap comes over it.
    store<u64>(plane + (group << 3), load<u64>(stream));
    stream += <usize>(coded ^ 1) << 3;
  }
  if (missing != 0) {
    store<u32>(tile, NO_CODES, USED);
    store<u32>(tile, 0, LISTED);
    return 0;
  }
  store<u32>(tile, <u32>(end - list) >> 2, LISTED);
  return stream;
}

/** The bits that were kept apart, and the signs of the weights that have become significant. */
function finish(tile: usize, stream: usize, position: usize, deposits: usize, apart: bool): void {
  const groups = load<u32>(tile, GROUPS);
  const significant = <usize>load<u32>(tile, SIGNIFICANT);
  const signs = <usize>load<u32>(tile, SIGNS);
  const counts = <usize>load<u32>(tile, COUNTS);
  const dense = <usize>load<u32>(tile, DENSE);
  const plane = <usize>load<u32>(tile, PLANE);
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
  // First the groups with a new weight, then their signs: which ones they are is random.
  const list = <usize>load<u32>(tile, LIST);
  const listEnd = list + (load<u32>(tile, LISTED) << 2);
  let end = list;
  for (let from = list; from < listEnd; from += 4) {
    const group = load<u32>(from) & 0xffff;
    const state = <u32>load<u8>(dense + group);
    store<u8>(dense + group, state << 1);
    const at = group << 3;
    const fresh = load<u64>(plane + at) & ~load<u64>(significant + at) & (<u64>state - 1);
    store<u32>(end, group);
    end += <usize>u32(fresh != 0) << 2;
  }
  for (let from = list; from < end; from += 4) {
    const group = load<u32>(from);
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known;
    const count = <u32>popcnt(fresh);
    store<u64>(signs + at, load<u64>(signs + at) | deposit(read(stream, position, count), fresh, deposits));
    position += count;
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + count));
  }
  store<u32>(tile, <u32>(stream - load<u32>(tile, UNIT) + ((position + 7) >> 3)), USED);
}

/**
 * Signs of the groups that become dense; returns the bytes it has read.
 * @param list room for a u32 a group
 */
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
  list: usize,
): usize {
  let end = list;
  for (let group: u32 = 0; group < groups; group++) {
    store<u32>(end, group);
    end += <usize>(u32(load<u8>(dense + group) == 0) & u32(load<u8>(counts + group) >= threshold)) << 2;
  }
  let position: usize = 0;
  for (; list < end; list += 4) {
    const group = load<u32>(list);
    store<u8>(dense + group, 1);
    const at = group << 3;
    const unknown = ~load<u64>(significant + at) & weightsOf(group, weights);
    const count = <u32>popcnt(unknown);
    store<u64>(signs + at, load<u64>(signs + at) | deposit(read(unit, position, count), unknown, deposits));
    position += count;
  }
  return (position + 7) >> 3;
}

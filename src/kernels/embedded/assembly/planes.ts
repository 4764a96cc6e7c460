// Planes and signs of a tile. Bit streams have room behind them for what a broken one makes the kernels read: the caller
// compares lengths afterwards.
import { decodeBitmaps } from './bitmaps';
import { contextOf } from './contexts';
import { weightsOf } from '../../runtime/assembly/groups';
import { deposit, read } from './bits';

/**
 * A tile, as the caller lays it out: u32 addresses, but for the number of groups, and at the end the number of bytes
 * that have been read of its unit. Contexts are written.
 */
const UNIT: usize = 0;
const GROUPS: usize = 4;
const SIGNIFICANT: usize = 8;
const SIGNS: usize = 12;
const COUNTS: usize = 16;
const DENSE: usize = 20;
const PLANE: usize = 24;
const SCALES: usize = 28;
const CONTEXTS: usize = 32;
const USED: usize = 36;

/** In `DENSE`: the next plane is the first since the signs; the planes after it. */
const FIRST_DENSE: u32 = 1;
const LATER_DENSE: u32 = 2;
const NO_CONTEXT: u32 = 0xff;

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
    stream == 0 ? 0 : load<u32>(tile, GROUPS),
    load<u32>(tile, CONTEXTS),
    load<u32>(tile, PLANE),
    otherStream,
    otherStream == 0 ? 0 : load<u32>(other, GROUPS),
    load<u32>(other, CONTEXTS),
    load<u32>(other, PLANE),
    codes,
    spreads,
    scratch,
  );
  if (stream != 0) finish(tile, stream, load<u32>(scratch), deposits, apart);
  if (otherStream != 0) finish(other, otherStream, load<u32>(scratch, 4), deposits, apart);
}

/**
 * The planes of dense groups as they are, and the contexts of the others; returns where the bits of these begin, or 0
 * where they lack codes.
 */
function takeDense(tile: usize, codes: usize, rule: usize): usize {
  const groups = load<u32>(tile, GROUPS);
  const dense = <usize>load<u32>(tile, DENSE);
  const counts = <usize>load<u32>(tile, COUNTS);
  const scales = <usize>load<u32>(tile, SCALES);
  const contexts = <usize>load<u32>(tile, CONTEXTS);
  const plane = <usize>load<u32>(tile, PLANE);
  let stream = <usize>load<u32>(tile, UNIT);
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    let context = NO_CONTEXT;
    if (state == LATER_DENSE) {
      store<u64>(plane + (group << 3), load<u64>(stream));
      stream += 8;
    } else {
      context = contextOf(rule, load<u8>(counts + group), state, load<u8>(scales + group));
      if (load<u32>(codes + <usize>(context * 12), 4) == NO_CODE) {
        store<u32>(tile, NO_CODES, USED);
        return 0;
      }
    }
    store<u8>(contexts + group, <u8>context);
  }
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
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    if (state != 0) {
      if (state == FIRST_DENSE) store<u8>(dense + group, LATER_DENSE);
      continue;
    }
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
  store<u32>(tile, <u32>(stream - load<u32>(tile, UNIT) + ((position + 7) >> 3)), USED);
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
    const known = load<u64>(significant + at) | ~weightsOf(group, weights);
    const count = <u32>popcnt(~known);
    const bits = deposit(read(unit, position, count), ~known, deposits);
    store<u64>(signs + at, load<u64>(signs + at) | bits);
    position += count;
  }
  return (position + 7) >> 3;
}

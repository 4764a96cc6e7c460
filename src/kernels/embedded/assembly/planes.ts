// Planes and signs of a tile. Bit streams have room behind them for what a broken one makes the kernels read: the caller
// compares lengths afterwards.
import { weightsOf } from '../../runtime/assembly/groups';
import { BYTES, CONTEXT_BYTES, decodeBitmaps } from './bitmaps';
import { contextOf, COUNTS as COUNTS_OF_RULE, LATER_DENSE, SCALES as SCALES_OF_RULE } from './contexts';
import {
  COUNTS,
  DENSE,
  ENTRIES,
  GROUPS,
  KINDS,
  LIST,
  LIST_END,
  LISTED,
  MASKS,
  PLANE,
  POSITION,
  RECORD_BYTES,
  SCALES,
  SIGNIFICANT,
  SIGNS,
  STREAM,
  UNIT,
  USED,
} from './record';
import { spread } from './spread';
import { decodeWhole } from './wholeBitmaps';

/**
 * A plane of some tiles, or of some groups of them. `spreads` is what bitmaps take.
 * @param records of the tiles
 * @param tables as `storeTables` fills them
 * @param denseShift 1 where two planes of a dense group are coded, 2 where one is
 * @param scratch room for a record
 */
export function decodePlanes(
  records: usize,
  tiles: u32,
  codes: usize,
  spreads: usize,
  tables: usize,
  apart: bool,
  denseShift: u32,
  rule: usize,
  scratch: usize,
): void {
  const end = records + RECORD_BYTES * tiles;
  let areWhole = true;
  for (let tile = records; areWhole && tile < end; tile += RECORD_BYTES) {
    const kinds = kindsOfWhole(tile, codes, rule);
    store<u32>(tile, <u32>kinds, KINDS);
    areWhole = kinds != 0;
  }
  if (areWhole) {
    decodeWhole(records, end, rule + SCALES_OF_RULE, codes, scratch);
    for (let tile = records; tile < end; tile += RECORD_BYTES) age(tile, denseShift);
    return;
  }
  for (let tile = records; tile < end; tile += RECORD_BYTES) takeDense(tile, rule);
  decodeBitmaps(records, end, codes, spreads, scratch);
  for (let tile = records; tile < end; tile += RECORD_BYTES) finish(tile, tables, apart, denseShift);
}

/** The most significant weights of a group that is not dense; -1: there is none. */
export function mostCount(tile: usize): i32 {
  const groups = <usize>load<u32>(tile, GROUPS);
  const counts = <usize>load<u32>(tile, COUNTS);
  const dense = <usize>load<u32>(tile, DENSE);
  const one = i8x16.splat(1);
  let most = i8x16.splat(0);
  let group: usize = 0;
  for (; group + 16 <= groups; group += 16) {
    const isCounted = i8x16.eq(v128.load(dense + group), i8x16.splat(0));
    most = i8x16.max_u(most, v128.and(i8x16.add(v128.load(counts + group), one), isCounted));
  }
  let best: i32 = 0;
  for (; group < groups; group++) {
    if (load<u8>(dense + group) == 0) best = max(best, <i32>load<u8>(counts + group) + 1);
  }
  v128.store(tile, most, ENTRIES);
  for (let i: usize = 0; i < 16; i++) best = max(best, <i32>load<u8>(tile + i, ENTRIES));
  return best - 1;
}

/**
 * What counts add to the contexts of a tile whose groups are all dense since the same plane, if their bytes are coded; else 0.
 * Then there are no lists to be made, and no signs.
 */
function kindsOfWhole(tile: usize, codes: usize, rule: usize): usize {
  const groups = load<u32>(tile, GROUPS);
  const dense = <usize>load<u32>(tile, DENSE);
  const state = <u32>load<u8>(dense);
  if (state == 0 || state == LATER_DENSE) return 0;
  for (let group: u32 = 1; group < groups; group++) if (load<u8>(dense + group) != state) return 0;
  const context = contextOf(rule, 0, state, load<u8>(load<u32>(tile, SCALES)));
  if (load<u32>(codes + <usize>(context * CONTEXT_BYTES), BYTES) == 0) return 0;
  return rule + <usize>(state * COUNTS_OF_RULE);
}

/** The end of a plane of such a tile. */
function age(tile: usize, denseShift: u32): void {
  const groups = load<u32>(tile, GROUPS);
  const dense = <usize>load<u32>(tile, DENSE);
  for (let group: u32 = 0; group < groups; group++) {
    store<u8>(dense + group, <u32>load<u8>(dense + group) << denseShift);
  }
  store<u32>(tile, (load<u32>(tile, POSITION) + 7) >> 3, USED);
}

/**
 * The planes of dense groups as they are, and a list of the others with their contexts. Which groups are dense is random: branches would be mispredicted.
 */
function takeDense(tile: usize, rule: usize): void {
  const groups = load<u32>(tile, GROUPS);
  const dense = <usize>load<u32>(tile, DENSE);
  const counts = <usize>load<u32>(tile, COUNTS);
  const scales = <usize>load<u32>(tile, SCALES);
  const plane = <usize>load<u32>(tile, PLANE);
  const list = <usize>load<u32>(tile, LIST);
  let stream = <usize>load<u32>(tile, UNIT);
  let end = list;
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    const coded = u32(state != LATER_DENSE);
    const context = contextOf(rule, load<u8>(counts + group), state, load<u8>(scales + group));
    store<u32>(end, group | (context << 16));
    end += <usize>coded << 2;
    // Of a coded group, its bitmap comes over it.
    store<u64>(plane + (group << 3), load<u64>(stream));
    stream += <usize>(coded ^ 1) << 3;
  }
  store<u32>(tile, <u32>(end - list) >> 2, LISTED);
  store<u32>(tile, <u32>stream, STREAM);
}

/** The bits that were kept apart, and the signs of the weights that have become significant. */
function finish(tile: usize, tables: usize, apart: bool, denseShift: u32): void {
  const stream = <usize>load<u32>(tile, STREAM);
  const listEnd = <usize>load<u32>(tile, LIST_END);
  let position = <usize>load<u32>(tile, POSITION);
  const significant = <usize>load<u32>(tile, SIGNIFICANT);
  const counts = <usize>load<u32>(tile, COUNTS);
  const dense = <usize>load<u32>(tile, DENSE);
  const plane = <usize>load<u32>(tile, PLANE);
  const list = <usize>load<u32>(tile, LIST);
  const masks = <usize>load<u32>(tile, MASKS);
  let mask = masks;
  if (apart) {
    for (let from = list; from < listEnd; from += 4, mask += 8) {
      const group = load<u32>(from);
      store<u64>(mask, load<u64>(significant + (group << 3)) & -<u64>(load<u8>(dense + group) == 0));
    }
    position = spread(stream, position, list, listEnd, masks, plane, tables);
    mask = masks;
  }
  // Which groups have a new weight is random.
  let end = list;
  for (let from = list; from < listEnd; from += 4) {
    const group = load<u32>(from);
    const state = <u32>load<u8>(dense + group);
    store<u8>(dense + group, state << denseShift);
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known & -<u64>(state == 0);
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + <u32>popcnt(fresh)));
    store<u32>(end, group);
    store<u64>(mask, fresh);
    const listed = <usize>u32(fresh != 0) << 2;
    end += listed;
    mask += listed << 1;
  }
  position = spread(stream, position, list, end, masks, <usize>load<u32>(tile, SIGNS), tables);
  store<u32>(tile, <u32>(stream - load<u32>(tile, UNIT) + ((position + 7) >> 3)), USED);
}

/** Signs of the groups that become dense, by their counts or their scales, of a tile as above. */
export function decodeSigns(tile: usize, weights: u32, threshold: u32, leastScale: u32, tables: usize): void {
  const groups = load<u32>(tile, GROUPS);
  const significant = <usize>load<u32>(tile, SIGNIFICANT);
  const counts = <usize>load<u32>(tile, COUNTS);
  const dense = <usize>load<u32>(tile, DENSE);
  const scales = <usize>load<u32>(tile, SCALES);
  const list = <usize>load<u32>(tile, LIST);
  const masks = <usize>load<u32>(tile, MASKS);
  let end = list;
  let mask = masks;
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    const wanted = u32(load<u8>(counts + group) >= threshold) | u32(<u32>load<u8>(scales + group) >= leastScale);
    const becomes = u32(state == 0) & wanted;
    store<u8>(dense + group, state | becomes);
    store<u32>(end, group);
    store<u64>(mask, ~load<u64>(significant + (group << 3)) & weightsOf(group, weights));
    end += <usize>becomes << 2;
    mask += <usize>becomes << 3;
  }
  const position = spread(load<u32>(tile, UNIT), 0, list, end, masks, load<u32>(tile, SIGNS), tables);
  store<u32>(tile, <u32>((position + 7) >> 3), USED);
}

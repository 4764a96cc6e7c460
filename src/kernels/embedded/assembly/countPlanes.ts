// The survey of a tile: what encoding would find in its planes.
import { countFixed, countSymbols, findContexts } from './encodeBitmap';
import { passOver } from './passOver';

/** Bytes of the symbols of a plane; those that are counted with bits kept apart are behind the others. */
const SYMBOLS_BYTES: usize = 756;

/** What the survey of a plane needs beside the tile: u32 addresses, as the caller lays them out. */
const SCALES: usize = 0;
const CONTEXTS: usize = 4;
/** The rule of contexts with a selection, or 0: its symbols are not wanted. The addresses of those with fixed codes, one for each plane. */
const SELECTED_RULE: usize = 8;
const FIXED_RULES: usize = 12;
/** Symbols of fixed codes, and from those of a plane to those of the next one. */
const FIXED_SYMBOLS: usize = 16;
const FIXED_STRIDE: usize = 20;
/** To two u32 for each plane are added: the groups that are dense since the plane before, the weights that are significant before it. */
const COSTS: usize = 24;
const COSTS_BYTES: usize = 8;
/** The scale of a group over the threshold of a plane that makes it dense; how its state goes on from plane to plane. */
const DENSE_RATIO: usize = 28;
const DENSE_SHIFT: usize = 32;

/**
 * Goes once through the planes of a tile as an encoder does, to count. `significant`, `counts`, `dense` begin as zeros; to
 * `symbols` those of the tile are added.
 */
export function countPlanes(
  weights: u32,
  depth: u32,
  threshold: u32,
  planes: usize,
  stride: usize,
  significant: usize,
  counts: usize,
  dense: usize,
  symbols: usize,
  more: usize,
): void {
  const scales = <usize>load<u32>(more, SCALES);
  const contexts = <usize>load<u32>(more, CONTEXTS);
  const selectedRule = <usize>load<u32>(more, SELECTED_RULE);
  let fixedRules = <usize>load<u32>(more, FIXED_RULES);
  let fixedSymbols = <usize>load<u32>(more, FIXED_SYMBOLS);
  const fixedStride = <usize>load<u32>(more, FIXED_STRIDE);
  let costs = <usize>load<u32>(more, COSTS);
  const ratio = load<i32>(more, DENSE_RATIO);
  const denseShift = load<u32>(more, DENSE_SHIFT);
  const groups = (weights + 63) >> 6;
  let before: u32 = 0;
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, symbols += 2 * SYMBOLS_BYTES) {
    if (selectedRule != 0) {
      findContexts(groups, counts, dense, scales, selectedRule, contexts);
      const firstDense = countSymbols(plane, 0, groups, contexts, symbols);
      countSymbols(plane, significant, groups, contexts, symbols + SYMBOLS_BYTES);
      store<u32>(costs, load<u32>(costs) + firstDense);
      store<u32>(costs, load<u32>(costs, 4) + before, 4);
      costs += COSTS_BYTES;
    }
    findContexts(groups, counts, dense, scales, <usize>load<u32>(fixedRules), contexts);
    countFixed(plane, groups, contexts, fixedSymbols);
    fixedRules += 4;
    fixedSymbols += fixedStride;
    before = passOver(plane, groups, significant, counts, dense, scales, threshold, ratio + <i32>(4 * (depth - 1 - j)), denseShift);
  }
}

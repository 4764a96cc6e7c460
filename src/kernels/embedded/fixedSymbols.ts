import { NO_CONTEXT } from './contexts.js';
import { codesAt, FIXED_CONTEXTS, fixedPlaces, letterAt } from './fixedCodes.js';
import { meanLengths } from './meanLengths.js';
import { CODES, POPULATION, type PrefixCode } from './prefixCodes.js';
import { batchMask, byteMask } from './survey.js';
import { GROUP_BYTES } from './tile.js';

/**
 * Symbols of bitmaps by the contexts of fixed codes, counted by their set bits: of each context batches, masks and bytes, nine
 * counts of each. Bytes of 0 that have no code are counted, too.
 */
export type FixedSymbols = Uint32Array;

const POPULATIONS = 9;
const MASKS = POPULATIONS;
const BYTES = 2 * POPULATIONS;
const COUNTS = 3 * POPULATIONS;
export const FIXED_SYMBOL_COUNTS: number = COUNTS * FIXED_CONTEXTS;

/** Adds the symbols of a tile's bitmap. */
export function countFixedSymbols(bitmap: Uint8Array, contexts: Uint8Array, symbols: FixedSymbols): void {
  const isBatched = (group: number) =>
    contexts[group] !== NO_CONTEXT && fixedPlaces(contexts[group]!)[0] !== undefined;
  let batchLeft = 0;
  for (let group = 0; group < contexts.length; group++) {
    const context = contexts[group]!;
    if (context === NO_CONTEXT) continue;
    const [batch, mask] = fixedPlaces(context);
    const own = COUNTS * context;
    const bytes = byteMask(bitmap, group);
    if (batch !== undefined) {
      if (batchLeft === 0) {
        symbols[own + POPULATION[batchMask(bitmap, contexts.length, isBatched, group)]!]! += 1;
        batchLeft = 8;
      }
      batchLeft -= 1;
      if (bytes === 0) continue;
    }
    if (mask !== undefined) symbols[own + MASKS + POPULATION[bytes]!]! += 1;
    for (let i = 0; i < GROUP_BYTES; i++) {
      symbols[own + BYTES + POPULATION[bitmap[group * GROUP_BYTES + i]!]!]! += 1;
    }
  }
}

/** Visits what is coded by each letter of the table that occurs: of its place, how many symbols have 0 to 8 set bits. */
function forPlaces(symbols: FixedSymbols, visit: (place: number, counts: Uint32Array) => void): void {
  for (let context = 0; context < FIXED_CONTEXTS; context++) {
    // Most do not occur, and views take long to make.
    const own = COUNTS * context;
    let any = 0;
    for (let i = own; i < own + COUNTS; i++) any |= symbols[i]!;
    if (any === 0) continue;
    const places = fixedPlaces(context);
    places.forEach((place, k) => {
      if (place === undefined) return;
      const start = own + POPULATIONS * k;
      const counts = symbols.slice(start, start + POPULATIONS);
      // Behind a mask, there are no bytes of 0.
      if (k === 2 && places[1] !== undefined) counts[0] = 0;
      if (counts.some((count) => count > 0)) visit(place, counts);
    });
  }
}

/** The bits of these symbols by the table as it is. */
export function fixedCost(symbols: FixedSymbols): number {
  let cost = 0;
  forPlaces(symbols, (place, counts) => {
    cost += costOf(codesAt(place)(letterAt(place)), counts);
  });
  return cost;
}

/**
 * The letters to be replaced for these symbols, as in `PlaneCoding`.
 * @param least bits that one must gain
 */
export function chooseReplaced(symbols: FixedSymbols, least: number): Uint16Array {
  const replaced: number[] = [];
  forPlaces(symbols, (place, counts) => {
    const codes = codesAt(place);
    const now = costOf(codes(letterAt(place)), counts) - least;
    let best = { code: 0, cost: now };
    for (let code = 0; code < CODES; code++) {
      const cost = costOf(codes(code), counts);
      if (cost < best.cost) best = { code, cost };
    }
    if (best.cost < now) replaced.push(CODES * place + best.code);
  });
  return Uint16Array.from(replaced).sort();
}

function costOf(code: PrefixCode, counts: Uint32Array): number {
  const lengths = meanLengths(code);
  let cost = 0;
  for (let k = 0; k < POPULATIONS; k++) if (counts[k]! > 0) cost += counts[k]! * lengths[k]!;
  return cost;
}

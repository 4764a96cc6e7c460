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
    const own = COUNTS * context;
    // Most do not occur, and views take long to make.
    if (!occur(symbols, own, own + COUNTS)) continue;
    const places = fixedPlaces(context);
    for (let k = 0; k < places.length; k++) {
      const place = places[k];
      if (place === undefined) continue;
      const start = own + POPULATIONS * k;
      const counts = symbols.slice(start, start + POPULATIONS);
      // Behind a mask, there are no bytes of 0.
      if (k === 2 && places[1] !== undefined) counts[0] = 0;
      if (occur(counts, 0, POPULATIONS)) visit(place, counts);
    }
  }
}

// What follows are loops in functions of their own: an engine that compiles them again has little to compile.

/** Whether any of these counts is not 0. */
function occur(counts: Uint32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (counts[i] !== 0) return true;
  return false;
}

/** The bits of these symbols by a code. */
function costOf(lengths: Float64Array, code: number, counts: Uint32Array): number {
  let cost = 0;
  for (let k = 0; k < POPULATIONS; k++) {
    if (counts[k]! > 0) cost += counts[k]! * lengths[POPULATIONS * code + k]!;
  }
  return cost;
}

/** The code of the fewest bits, if these are less than so many; else -1. */
function cheapest(lengths: Float64Array, counts: Uint32Array, below: number): number {
  let best = -1;
  let least = below;
  for (let code = 0; code < CODES; code++) {
    const cost = costOf(lengths, code, counts);
    if (cost < least) {
      best = code;
      least = cost;
    }
  }
  return best;
}

const lengthsOfCodes = new Map<(index: number) => PrefixCode, Float64Array>();

/** The mean lengths of all codes that a letter at a place chooses from, one after another. */
function lengthsAt(place: number): Float64Array {
  const codes = codesAt(place);
  let lengths = lengthsOfCodes.get(codes);
  if (lengths === undefined) {
    lengths = new Float64Array(POPULATIONS * CODES);
    for (let code = 0; code < CODES; code++) lengths.set(meanLengths(codes(code)), POPULATIONS * code);
    lengthsOfCodes.set(codes, lengths);
  }
  return lengths;
}

/** The bits of these symbols by the table as it is. */
export function fixedCost(symbols: FixedSymbols): number {
  let cost = 0;
  forPlaces(symbols, (place, counts) => {
    cost += costOf(lengthsAt(place), letterAt(place), counts);
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
    const lengths = lengthsAt(place);
    const code = cheapest(lengths, counts, costOf(lengths, letterAt(place), counts) - least);
    if (code >= 0) replaced.push(CODES * place + code);
  });
  return Uint16Array.from(replaced).sort();
}

import { POPULATION, type PrefixCode } from './prefixCodes.js';

const known = new WeakMap<PrefixCode, Float64Array>();

/** Mean lengths of the symbols with 0 to 8 set bits, by which encoders choose codes. */
export function meanLengths(code: PrefixCode): Float64Array {
  let lengths = known.get(code);
  if (lengths === undefined) {
    const total = new Float64Array(9);
    const symbols = new Float64Array(9);
    code.entries.forEach((entry, symbol) => {
      total[POPULATION[symbol]!]! += entry >>> 24;
      symbols[POPULATION[symbol]!]! += 1;
    });
    lengths = total.map((sum, k) => sum / symbols[k]!);
    known.set(code, lengths);
  }
  return lengths;
}

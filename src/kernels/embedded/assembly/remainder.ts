import { weightsOf } from '../../runtime/assembly/groups';
import { addToBatch, countSymbols, encodeBitmap } from './encodeBitmap';
import { entry, extractHalf, pack } from './entries';
import { longBitmaps, longFields, shortBitmaps, shortestFields, shortFields, storeTables } from './fields';

/**
 * The remainder of a tile of floats; returns its bytes. `list` has room for an entry a group, `fields` for 64 u64, `batches` for a
 * bit a group, and a byte more.
 * @param patterns u16 or, with 23 mantissa bits, u32, filled up with zeros to whole groups
 * @param signs of all weights
 * @param counts significant weights of each group; `classOf` has the class of each number of them
 * @param tapered small numbers have shorter mantissas
 * @param complete exponent field from which on planes hold whole mantissas
 * @param lowest exponent field of weights that are 1 in the lowest plane
 * @param marks whether weights that are not zero are marked
 * @param absent room for a bitmap of the weights that the planes do not hold
 * @param nonzero room for a bitmap of those of them that are not zero
 * @param tables room for 32 bytes
 * @param extracts as of `extract`
 */
export function encodeRemainder(
  patterns: usize,
  weights: u32,
  signs: usize,
  counts: usize,
  classOf: usize,
  dense: usize,
  codes: usize,
  marks: bool,
  mantissaBits: u32,
  exponentBits: u32,
  tapered: bool,
  complete: u32,
  lowest: u32,
  absent: usize,
  nonzero: usize,
  tables: usize,
  extracts: usize,
  list: usize,
  fields: usize,
  batches: usize,
  out: usize,
): usize {
  const groups = (weights + 63) >> 6;
  findAbsent(patterns, groups, mantissaBits, lowest, absent, nonzero);
  let position: usize = marks ? encodeMarks(nonzero, groups, counts, classOf, codes, list, batches, out) : 0;
  const signedZeros = hasSignedZeros(weights, signs, dense, absent, nonzero);
  store<u64>(fields, entry(u64(signedZeros), 1));
  position = pack(fields, fields + 8, out, position);
  position = encodeFields(patterns, groups, mantissaBits, complete, lowest, tables, fields, out, position);

  const signBit: u32 = mantissaBits == 23 ? 31 : 15;
  for (let group: u32 = 0; group < groups; group++) {
    const rest = load<u64>(absent + (group << 3)) & weightsOf(group, weights);
    if (rest == 0) continue;
    const marked = marks ? load<u64>(nonzero + (group << 3)) : ~(<u64>0);
    const signless = u64(load<u8>(dense + group) == 0);
    const signed = signless & u64(signedZeros);
    let last = fields;
    if ((rest & marked) == 0) {
      if (signed == 0) continue;
      const own = load<u64>(signs + (group << 3));
      store<u64>(last, entry(extractHalf(<u32>own, <u32>rest, extracts), popcnt(rest & 0xffffffff)));
      store<u64>(last, entry(extractHalf(<u32>(own >> 32), <u32>(rest >> 32), extracts), popcnt(rest >> 32)), 8);
      last += 16;
    } else {
      for (let others = rest; others != 0; others &= others - 1) {
        const i = <u32>ctz(others);
        const pattern = at(patterns, (group << 6) + i, signBit);
        const isMarked = (marked >> i) & 1;
        const exponent = (pattern & ((<u32>1 << signBit) - 1)) >> mantissaBits;
        const distance = lowest - 1 - exponent;
        const counted = distance < 8;
        const field = <u64>select<u32>((1 << distance) - 1, 0xff | (exponent << 8), counted);
        const fieldBits = <u64>select<u32>(distance + 1, 8 + exponentBits, counted);
        const own = <u64>(tapered ? min(mantissaBits, <u32>max(<i32>exponent - 1, 0)) : mantissaBits);
        const mantissa = <u64>(pattern & ((1 << mantissaBits) - 1)) >> (mantissaBits - own);
        // Of a zero, the sign is all.
        const signBits = select<u64>(signless, signed, isMarked != 0);
        const sign = <u64>(pattern >> signBit) & signBits;
        const magnitude = (field | (mantissa << fieldBits)) & -isMarked;
        store<u64>(last, entry(sign | (magnitude << signBits), signBits + ((fieldBits + own) & -isMarked)));
        last += 8;
      }
    }
    position = pack(fields, last, out, position);
  }
  return (position + 7) >> 3;
}

/**
 * Adds the symbols of the bitmap of weights that are not zero, as `countSymbols` does.
 * @param classes room for a byte a group
 */
export function countNonzero(
  patterns: usize,
  groups: u32,
  mantissaBits: u32,
  lowest: u32,
  counts: usize,
  classOf: usize,
  absent: usize,
  nonzero: usize,
  classes: usize,
  symbols: usize,
): void {
  findAbsent(patterns, groups, mantissaBits, lowest, absent, nonzero);
  for (let group: u32 = 0; group < groups; group++) {
    store<u8>(classes + group, load<u8>(classOf + <usize>load<u8>(counts + group)));
  }
  countSymbols(nonzero, 0, groups, classes, symbols);
}

/** Which weights the planes do not hold, and which of these are not zero. */
function findAbsent(patterns: usize, groups: u32, mantissaBits: u32, lowest: u32, absent: usize, nonzero: usize): void {
  if (mantissaBits == 23) longBitmaps(patterns, groups, lowest, absent, nonzero);
  else shortBitmaps(patterns, groups, mantissaBits, lowest, absent, nonzero);
}

/** The missing bits of mantissas, a group at a time; returns the bit behind them. */
function encodeFields(
  patterns: usize,
  groups: u32,
  mantissaBits: u32,
  complete: u32,
  lowest: u32,
  tables: usize,
  fields: usize,
  out: usize,
  position: usize,
): usize {
  storeTables(tables);
  const size: usize = mantissaBits == 23 ? 256 : 128;
  for (; groups > 0; groups--, patterns += size) {
    let end = fields + 64;
    if (mantissaBits == 7) {
      shortestFields(patterns, 7, complete, lowest, tables, fields);
    } else if (mantissaBits == 23) {
      longFields(patterns, lowest, fields);
      end = fields + 256;
    } else if (mantissaBits == 10) {
      shortFields(patterns, complete, lowest, tables, fields);
      end = fields + 128;
    } else {
      shortestFields(patterns, mantissaBits, complete, lowest, tables, fields);
    }
    position = pack(fields, end, out, position);
  }
  return position;
}

/** Which weights are not zero, of all groups. */
function encodeMarks(
  nonzero: usize,
  groups: u32,
  counts: usize,
  classOf: usize,
  codes: usize,
  list: usize,
  batches: usize,
  out: usize,
): usize {
  let end = list;
  let inBatch: u32 = 0;
  let batch: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const kind = <u32>load<u8>(classOf + <usize>load<u8>(counts + group));
    const word = load<u64>(nonzero + (group << 3));
    const isIn = u32(kind == 0);
    const begins = isIn & u32((inBatch & 7) == 0);
    store<u32>(end, group | (kind << 16) | (begins << 31));
    end += <usize>((isIn ^ 1) | begins | u32(word != 0)) << 2;
    batch = addToBatch(batches, batch, inBatch, isIn, word);
    inBatch += isIn;
  }
  return encodeBitmap(nonzero, 0, list, end, batches, codes, out, 0);
}

/** Whether a zero whose sign the planes do not say has one. */
function hasSignedZeros(weights: u32, signs: usize, dense: usize, absent: usize, nonzero: usize): bool {
  const groups = (weights + 63) >> 6;
  let any: u64 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const place = <usize>group << 3;
    const zeros = load<u64>(absent + place) & weightsOf(group, weights) & ~load<u64>(nonzero + place);
    any |= load<u64>(signs + place) & zeros & -u64(load<u8>(dense + group) == 0);
  }
  return any != 0;
}

// @ts-ignore: decorator
@inline
function at(patterns: usize, i: u32, signBit: u32): u32 {
  return signBit == 31 ? load<u32>(patterns + (i << 2)) : <u32>load<u16>(patterns + (i << 1));
}

import { weightsOf } from '../../runtime/assembly/groups';
import { addToBatch, encodeBitmap } from './encodeBitmap';
import { entry, pack } from './entries';
import { longFields, shortFields, storeTables } from './fields';

/**
 * The remainder of a tile of floats; returns its bytes. `list` has room for an entry a group, and 3 a weight that the planes do
 * not hold; `fields` for a u64 for every two weights; `batches` for a bit a group, and a byte more.
 * @param patterns u16 or, with 23 mantissa bits, u32, filled up with zeros to whole groups
 * @param tapered small numbers have shorter mantissas
 * @param complete exponent field from which on planes hold whole mantissas
 * @param lowest exponent field of weights that are 1 in the lowest plane
 * @param marks whether weights that are not zero are marked
 * @param absent room for a bitmap of the weights that the planes do not hold
 * @param nonzero room for a bitmap of those of them that are not zero
 * @param tables room for 32 bytes
 */
export function encodeRemainder(
  patterns: usize,
  weights: u32,
  classes: usize,
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
  list: usize,
  fields: usize,
  batches: usize,
  out: usize,
): usize {
  const groups = (weights + 63) >> 6;
  storeTables(tables);
  let end: usize;
  if (mantissaBits == 23) end = longFields(patterns, groups, lowest, absent, nonzero, fields);
  else if (mantissaBits == 7) end = shortFields(patterns, groups, 7, complete, lowest, absent, nonzero, tables, fields);
  else if (mantissaBits == 10) end = shortFields(patterns, groups, 10, complete, lowest, absent, nonzero, tables, fields);
  else end = shortFields(patterns, groups, mantissaBits, complete, lowest, absent, nonzero, tables, fields);

  const signBit: u32 = mantissaBits == 23 ? 31 : 15;
  const signedZeros = hasSignedZeros(patterns, weights, dense, signBit, absent, nonzero);
  let position: usize = marks ? encodeMarks(nonzero, groups, classes, codes, list, batches, out) : 0;
  store<u32>(list, entry(u32(signedZeros), 1));
  position = pack<u32>(list, list + 4, out, position);
  position = pack<u64>(fields, end, out, position);
  let last = list;
  for (let group: u32 = 0; group < groups; group++) {
    const signless = load<u8>(dense + group) == 0;
    const marked = marks ? load<u64>(nonzero + (group << 3)) : ~(<u64>0);
    for (let rest = load<u64>(absent + (group << 3)) & weightsOf(group, weights); rest != 0; rest &= rest - 1) {
      const i = <u32>ctz(rest);
      const pattern = at(patterns, (group << 6) + i, signBit);
      const zero = ((marked >> i) & 1) == 0;
      if (signless && (!zero || signedZeros)) {
        store<u32>(last, entry(pattern >> signBit, 1));
        last += 4;
      }
      if (zero) continue;
      const exponent = (pattern & ((<u32>1 << signBit) - 1)) >> mantissaBits;
      const distance = lowest - 1 - exponent;
      if (distance < 8) store<u32>(last, entry((1 << distance) - 1, distance + 1));
      else store<u32>(last, entry(0xff | (exponent << 8), 8 + exponentBits));
      const own = tapered ? min(mantissaBits, <u32>max(<i32>exponent - 1, 0)) : mantissaBits;
      store<u32>(last, entry((pattern & ((1 << mantissaBits) - 1)) >> (mantissaBits - own), own), 4);
      last += 8;
    }
  }
  return (pack<u32>(list, last, out, position) + 7) >> 3;
}

/** Which weights are not zero, of all groups. */
function encodeMarks(
  nonzero: usize,
  groups: u32,
  classes: usize,
  codes: usize,
  list: usize,
  batches: usize,
  out: usize,
): usize {
  let end = list;
  let inBatch: u32 = 0;
  let batch: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const kind = <u32>load<u8>(classes + group);
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
function hasSignedZeros(
  patterns: usize,
  weights: u32,
  dense: usize,
  signBit: u32,
  absent: usize,
  nonzero: usize,
): bool {
  const groups = (weights + 63) >> 6;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    for (
      let rest = load<u64>(absent + (group << 3)) & weightsOf(group, weights) & ~load<u64>(nonzero + (group << 3));
      rest != 0;
      rest &= rest - 1
    ) {
      if (at(patterns, (group << 6) + <u32>ctz(rest), signBit) != 0) return true;
    }
  }
  return false;
}

// @ts-ignore: decorator
@inline
function at(patterns: usize, i: u32, signBit: u32): u32 {
  return signBit == 31 ? load<u32>(patterns + (i << 2)) : <u32>load<u16>(patterns + (i << 1));
}

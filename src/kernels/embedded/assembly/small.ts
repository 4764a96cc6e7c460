import { weightsOf } from '../../runtime/assembly/groups';
import { peek } from './bits';

/**
 * The weights of which the planes know nothing, whole; returns the position behind them.
 * @param absent bitmap of these weights
 * @param nonzero bitmap of those that are not zero; 0: there is none
 * @param tapered small numbers have shorter mantissas
 */
export function decodeSmall(
  stream: usize,
  position: usize,
  absent: usize,
  weights: u32,
  dense: usize,
  nonzero: usize,
  signedZeros: bool,
  mantissaBits: u32,
  exponentBits: u32,
  tapered: bool,
  lowest: u32,
  bytes: u32,
  out: usize,
): usize {
  const signBit: u32 = mantissaBits == 23 ? 31 : 15;
  // Where patterns of 16 bits have four bytes each, they are in the upper two.
  const shift = bytes == 4 && signBit == 15 ? 16 : 0;
  const groups = (weights + 63) >> 6;
  for (let g: u32 = 0; g < groups; g++) {
    const marks: u64 = nonzero == 0 ? ~(<u64>0) : load<u64>(nonzero + (g << 3));
    const isDense = load<u8>(dense + g) != 0;
    let rest = load<u64>(absent + (g << 3)) & weightsOf(g, weights);
    // Of a zero whose sign is known, or that has none, there is nothing to read.
    if (isDense || !signedZeros) rest &= marks;
    for (; rest != 0; rest &= rest - 1) {
      const i = <u32>ctz(rest);
      const zero = ((marks >> i) & 1) == 0;
      // All that is stored of a weight lies in one load: a sign, at most 8 bits and an exponent, a mantissa of at most 23.
      let bits = peek(stream, position);
      const signs: u32 = u32(!isDense);
      let pattern = (<u32>bits & signs) << signBit;
      position += signs;
      if (((marks >> i) & 1) != 0) {
        bits >>= <u64>signs;
        const distance = <u32>ctz(~bits | 0x100);
        let exponent: i32;
        let length = distance + 1;
        if (distance == 8) {
          exponent = <i32>((bits >> 8) & ((1 << exponentBits) - 1));
          length = 8 + exponentBits;
        } else {
          exponent = max(0, <i32>lowest - <i32>length);
        }
        const own = tapered ? min(mantissaBits, <u32>max(exponent - 1, 0)) : mantissaBits;
        const mantissa = <u32>((bits >> <u64>length) & ((1 << own) - 1));
        pattern |= (<u32>exponent << mantissaBits) | (mantissa << (mantissaBits - own));
        position += length + own;
      }
      const at = (g << 6) + i;
      if (bytes == 4) store<u32>(out + (at << 2), load<u32>(out + (at << 2)) | (pattern << shift));
      else store<u16>(out + (at << 1), <u16>(load<u16>(out + (at << 1)) | pattern));
    }
  }
  return position;
}

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
    let rest = load<u64>(absent + (g << 3)) & weightsOf(g, weights);
    if (rest == 0) continue;
    const isDense = load<u8>(dense + g) != 0;
    const marks: u64 = nonzero == 0 ? ~(<u64>0) : load<u64>(nonzero + (g << 3));
    for (; rest != 0; rest &= rest - 1) {
      const i = <u32>ctz(rest);
      const zero = ((marks >> i) & 1) == 0;
      let pattern: u32 = 0;
      if (!isDense && (!zero || signedZeros)) {
        pattern = <u32>(peek(stream, position) & 1) << signBit;
        position += 1;
      }
      if (!zero) {
        const bits = peek(stream, position);
        const distance = <u32>ctz(~bits | 0x100);
        let exponent: i32;
        if (distance == 8) {
          exponent = <i32>((bits >> 8) & ((1 << exponentBits) - 1));
          position += 8 + exponentBits;
        } else {
          exponent = max(0, <i32>lowest - 1 - <i32>distance);
          position += distance + 1;
        }
        const own = tapered ? min(mantissaBits, <u32>max(exponent - 1, 0)) : mantissaBits;
        const mantissa = <u32>(peek(stream, position) & ((1 << own) - 1));
        pattern |= (<u32>exponent << mantissaBits) | (mantissa << (mantissaBits - own));
        position += own;
      }
      const at = (g << 6) + i;
      if (bytes == 4) store<u32>(out + (at << 2), load<u32>(out + (at << 2)) | (pattern << shift));
      else store<u16>(out + (at << 1), <u16>(load<u16>(out + (at << 1)) | pattern));
    }
  }
  return position;
}

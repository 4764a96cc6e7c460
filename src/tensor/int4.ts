import { check, wholeNumber } from '../checks/options.js';
import { ArgumentError } from '../errors.js';
import { checkOutput, typedArray } from './tensor.js';

/** Two 4-bit two's-complement integers per byte, the low nibble first. */

/** The first `count` integers of `packed`, each in −8…7. */
export function unpackInt4(packed: Uint8Array, count: number, out?: Int8Array): Int8Array {
  check('packed', packed, typedArray('Uint8Array'));
  check('count', count, wholeNumber());
  if (packed.length !== Math.ceil(count / 2)) {
    throw new ArgumentError('Cannot unpack the int4 values: wrong number of bytes', {
      expected: Math.ceil(count / 2),
      actual: packed.length,
    });
  }
  const result = out === undefined ? new Int8Array(count) : out;
  checkOutput(result, count, 'Int8Array');
  for (let i = 0; i < count; i++) {
    const byte = packed[i >>> 1]!;
    // Shifting the nibble to the top of 32 bits and back down extends its sign.
    result[i] = (i & 1) === 0 ? (byte << 28) >> 28 : (byte << 24) >> 28;
  }
  return result;
}

/**
 * Packs integers of −8…7. With an odd count, the high nibble of the last byte is 0.
 * @throws ArgumentError naming the index of a value outside that range
 */
export function packInt4(values: Int8Array): Uint8Array {
  check('values', values, typedArray('Int8Array'));
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < -8 || value > 7) {
      throw new ArgumentError(`Cannot pack value ${i} as int4`, { expected: '-8 to 7', actual: value });
    }
    packed[i >>> 1]! |= (value & 15) << ((i & 1) * 4);
  }
  return packed;
}

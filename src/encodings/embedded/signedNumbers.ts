import { type FieldReader, zigzag } from '../../bytes/fieldReader.js';
import { FormatError } from '../../errors.js';

/**
 * Sequences of whole numbers that are mostly small, as bit streams: Exp-Golomb codes whose order follows the numbers.
 * `docs/formats/embedded.md` describes them.
 */

const FIRST_ORDER = 4;
/** Of a number with its sign and what the order adds: four bytes have this many, from any bit on. */
const MAX_BITS = 24;

/** @param numbers between -2^22 and 2^22 */
export function packNumbers(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let position = 0;
  const write = (value: number, count: number) => {
    for (let i = 0; i < count; i++, position++) {
      if (position % 8 === 0) bytes.push(0);
      bytes[position >> 3]! |= ((value >>> i) & 1) << (position & 7);
    }
  };
  let order = FIRST_ORDER;
  for (const number of numbers) {
    const unsigned = zigzag(number);
    const raised = unsigned + 2 ** order;
    const bits = 31 - Math.clz32(raised);
    write(2 ** (bits - order) - 1, bits - order + 1);
    write(raised, bits);
    order = nextOrder(order, bits, unsigned);
  }
  return Uint8Array.from(bytes);
}

/**
 * Reads `count` numbers; the next field begins at the next byte.
 * @throws FormatError
 */
export function readNumbers(fields: FieldReader, count: number): Int32Array {
  const { bytes, position: start } = fields;
  const end = 8 * (bytes.length - start);
  // A number takes at least a bit, which bounds the allocation.
  if (count > end) {
    throw new FormatError('Cannot read the embedded fragment: more numbers than bits', { actual: count });
  }
  const numbers = new Int32Array(count);
  let position = 0;
  let order = FIRST_ORDER;
  // Beyond the end, a byte is undefined, which the operators convert to 0.
  const peek = () => {
    const i = start + (position >>> 3);
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    return word >>> (position & 7);
  };
  for (let i = 0; i < count; i++) {
    const zeros = ~peek();
    const ones = zeros === 0 ? 32 : 31 - Math.clz32(zeros & -zeros);
    const bits = order + ones;
    position += ones + 1;
    const raised = (1 << bits) | (peek() & ((1 << bits) - 1));
    position += bits;
    if (bits > MAX_BITS || position > end) {
      throw new FormatError('Cannot read the embedded fragment: a number ends early or is too large', {
        offset: start + (position >>> 3),
      });
    }
    const unsigned = raised - (1 << order);
    // `unzigzag`, in whole numbers of 32 bits.
    numbers[i] = (unsigned >>> 1) ^ -(unsigned & 1);
    order = nextOrder(order, bits, unsigned);
  }
  fields.take(Math.ceil(position / 8));
  return numbers;
}

/** The order rises after a number that took more bits than it, and falls after one that needed fewer. */
function nextOrder(order: number, bits: number, unsigned: number): number {
  if (bits > order) return order + 1;
  return order > 0 && unsigned < 1 << (order - 1) ? order - 1 : order;
}

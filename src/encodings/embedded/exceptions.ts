import { FieldReader } from '../../bytes/fieldReader.js';
import { pushVarint } from '../../bytes/varint.js';
import { FormatError } from '../../errors.js';

type Patterns = Uint16Array | Uint32Array;

/**
 * The planes cannot hold NaNs and infinities, and have zeros for them. A tile's remainder begins with their number, and
 * the position and pattern of each.
 */
export function serializeExceptions(places: readonly number[], patterns: Patterns): Uint8Array {
  const bytes: number[] = [];
  pushVarint(bytes, places.length);
  for (const place of places) {
    bytes.push(place & 0xff, place >> 8);
    for (let shift = 0; shift < 8 * patterns.BYTES_PER_ELEMENT; shift += 8) {
      bytes.push((patterns[place]! >>> shift) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}

export interface Exceptions {
  readonly count: number;
  /** Writes the patterns to their positions. */
  restore(out: Patterns): void;
  /** The bytes that follow them in the unit. */
  readonly rest: Uint8Array;
}

/** @throws FormatError */
export function parseExceptions(unit: Uint8Array, count: number, bytesPerElement: number): Exceptions {
  const fields = new FieldReader(unit, 'embedded remainder');
  const number = fields.varint();
  if (number > count) {
    throw new FormatError('Cannot read the embedded remainder: more exceptions than weights', {
      expected: `at most ${count}`,
      actual: number,
    });
  }
  const list = Array.from({ length: number }, () => {
    const place = fields.u16();
    if (place >= count) {
      throw new FormatError('Cannot read the embedded remainder: the place of an exception is out of range', {
        expected: `below ${count}`,
        actual: place,
      });
    }
    return { place, pattern: bytesPerElement === 4 ? fields.u32() : fields.u16() };
  });
  return {
    count: number,
    rest: unit.subarray(fields.position),
    restore(out) {
      // Patterns of two bytes are in the upper ones of four.
      const shift = 8 * (out.BYTES_PER_ELEMENT - bytesPerElement);
      for (const { place, pattern } of list) out[place] = pattern << shift;
    },
  };
}

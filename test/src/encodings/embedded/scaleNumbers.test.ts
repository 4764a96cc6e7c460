import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldReader } from '../../../../src/bytes/fieldReader.js';
import { packScaleNumbers, readScaleNumbers } from '../../../../src/encodings/embedded/scaleNumbers.js';
import { rowLengths } from '../../../../src/encodings/embedded/scales.js';
import { FormatError } from '../../../../src/errors.js';
import { throws } from '../../../helpers/assertions.js';
import { normalFrom } from '../../../helpers/random.js';

function read(bytes: readonly number[], count: number): Int8Array {
  const fields = new FieldReader(Uint8Array.from(bytes), 'scales');
  const numbers = readScaleNumbers(fields, count);
  assert.is(fields.position, bytes.length);
  return numbers;
}

test('numbers come back, whatever they are', () => {
  const byte = fc.integer({ min: -128, max: 127 });
  const lists = fc.oneof(
    fc.array(byte, { minLength: 1, maxLength: 300 }),
    fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 1 }),
    fc.tuple(byte, fc.integer({ min: 1, max: 50 })).map(([value, count]) => Array(count).fill(value)),
  );
  fc.assert(
    fc.property(lists, (list) => {
      const numbers = Int8Array.from(list);
      assert.equal(read(packScaleNumbers(numbers), numbers.length), numbers);
    }),
  );
});

test('codes have at most 15 bits, however rare a number is', () => {
  const fibonacci = [1, 1];
  while (fibonacci.length < 22) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
  const numbers = Int8Array.from(fibonacci.flatMap((count, i) => Array<number>(count).fill(3 * i - 20)));
  assert.equal(read(packScaleNumbers(numbers), numbers.length), numbers);
});

test('what varies like a Gaussian takes about its entropy, and neighbours that are alike take less', () => {
  const normal = normalFrom(1);
  const apart = Int8Array.from({ length: 2000 }, () => Math.round(3 * normal()));
  const entropy = Math.log2(3 * Math.sqrt(2 * Math.PI * Math.E));
  assert.ok((8 * packScaleNumbers(apart).length) / 2000 < entropy + 0.15);
  const smooth = Int8Array.from({ length: 2000 }, (_, i) => Math.round(40 * Math.sin(i / 100)));
  assert.ok((8 * packScaleNumbers(smooth).length) / 2000 < 1.6);
});

test('codes that do not fit are refused, and so are more numbers than bits', () => {
  const sound = packScaleNumbers(Int8Array.of(0, 0, 1, 0, 1, 2, 0, 0));
  assert.equal(sound.slice(0, 3), [0, 0, 2]);
  for (const bad of [
    // A code too many, one too few, none; a single symbol; no symbols.
    [0, 0, 2, 0x11, 1, 0, 0],
    [0, 0, 2, 0x22, 2, 0, 0],
    [0, 0, 2, 0, 0, 0, 0],
    [0, 0, 1, 0x01, 0, 0],
    [0, 0, 0, 0, 0],
    // Codes of more symbols than there are.
    [0, 0, 129, 0x11, ...new Array<number>(128).fill(0), 0],
  ]) {
    throws(() => read(bad, 8), FormatError, /invalid codes of scales/);
  }
  throws(() => read(sound, 2 ** 30), FormatError, /invalid codes of scales/);
  throws(() => read(sound.slice(0, 4), 8), FormatError);
});

test('columns of few weights have no scales', () => {
  assert.equal(rowLengths([32, 11616], 32 * 11616, 2 ** 16), []);
  assert.equal(rowLengths([64, 11616], 64 * 11616, 2 ** 16), [11616]);
});

test.run();

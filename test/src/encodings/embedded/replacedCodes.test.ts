import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldReader } from '../../../../src/bytes/fieldReader.js';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import { parseFragmentStart } from '../../../../src/encodings/embedded/format.js';
import { packReplaced, readReplaced } from '../../../../src/encodings/embedded/replacedCodes.js';
import { packNumbers } from '../../../../src/encodings/embedded/signedNumbers.js';
import { FormatError } from '../../../../src/errors.js';
import { throws } from '../../../helpers/assertions.js';
import { encodeWith } from '../../../helpers/encodings.js';
import { normalFrom, randomFrom } from '../../../helpers/random.js';

const PLACES = 384;
const CODES = 32;

function read(bytes: readonly number[]): Uint16Array {
  const fields = new FieldReader(Uint8Array.from(bytes), 'codes');
  const replaced = readReplaced(fields);
  assert.is(fields.position, bytes.length);
  return replaced;
}

test('replaced codes come back, from none to all', () => {
  const some = fc
    .uniqueArray(fc.integer({ min: 0, max: PLACES - 1 }), { maxLength: PLACES })
    .chain((places) =>
      fc
        .array(fc.integer({ min: 0, max: CODES - 1 }), { minLength: places.length, maxLength: places.length })
        .map((codes) => places.sort((a, b) => a - b).map((place, i) => CODES * place + codes[i]!)),
    );
  const all = Array.from({ length: PLACES }, (_, place) => CODES * place + (place % CODES));
  fc.assert(
    fc.property(fc.oneof(some, fc.constant(all)), (numbers) => {
      const replaced = Uint16Array.from(numbers);
      assert.equal(read(packReplaced(replaced)), replaced);
    }),
  );
});

test('places that do not rise, and places and codes that there are not, are refused', () => {
  const stored = (count: number, ...numbers: number[]) => [count, ...packNumbers(numbers)];
  assert.equal([...read(stored(2, 0, PLACES - 1, -16, 15))], [0, CODES * (PLACES - 1) + 31]);
  for (const bad of [
    stored(1, -1, 0),
    stored(2, 5, 0, 1, 1),
    stored(2, 5, -1, 1, 1),
    stored(1, PLACES, 0),
    stored(2, PLACES - 1, 1, 0, 0),
    stored(1, 0, 16),
    stored(1, 0, -17),
    [0x81, 0x03, ...packNumbers(new Array<number>(2 * 385).fill(1))],
  ]) {
    throws(() => read(bad), FormatError, /its (number of codes|place of a code|code) is out of range/);
  }
  throws(() => read([100, 0, 0]), FormatError);
});

test('a tensor has codes of its own where these save bits, and small ones, whose symbols are few, have none', () => {
  const normal = normalFrom(7);
  const replacedOf = (count: number, of: () => number) => {
    const data = Float32Array.from({ length: count }, of);
    const { encoded } = encodeWith(embedded, { dtype: 'F32', shape: [count], data }, {});
    return parseFragmentStart(encoded.payloads[0]!, 0).stream!.planes[0]!.fixed!.length;
  };
  const random = randomFrom(3);
  // Large ones are more frequent than in what codes are fitted to.
  assert.ok(replacedOf(40000, () => Math.log(random()) * Math.sign(normal())) > 5);
  assert.is(replacedOf(100, normal), 0);
});

test.run();

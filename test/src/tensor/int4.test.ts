import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import { packInt4, unpackInt4 } from '../../../src/tensor/int4.js';
import { throws } from '../../helpers/assertions.js';

test('low nibble first, in two’s complement', () => {
  assert.equal(unpackInt4(Uint8Array.of(0xf1, 0x78), 4), Int8Array.of(1, -1, -8, 7));
});

test('every byte unpacks and packs again', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const values = unpackInt4(bytes, 512);
  for (let i = 0; i < 256; i++) assert.is((values[2 * i]! & 15) + (values[2 * i + 1]! & 15) * 16, i);
  assert.equal(packInt4(values), bytes);
});

test('an odd count leaves the last high nibble 0 and does not read it', () => {
  assert.equal(packInt4(Int8Array.of(-1, 2, -3)), Uint8Array.of(0x2f, 0x0d));
  assert.equal(unpackInt4(Uint8Array.of(0x2f, 0xfd), 3), Int8Array.of(-1, 2, -3));
  assert.equal(packInt4(new Int8Array(0)), new Uint8Array(0));
});

test('refuses values and lengths that do not fit', () => {
  throws(() => packInt4(Int8Array.of(0, 8)), ArgumentError, /value 1 .* got 8/);
  throws(() => packInt4(Int8Array.of(-9)), ArgumentError, /got -9/);
  throws(() => unpackInt4(new Uint8Array(2), 5), ArgumentError, /expected 3, got 2/);
  throws(
    () => unpackInt4(new Uint8Array(2), 4, new Int8Array(3)),
    ArgumentError,
    /of length 4, got an Int8Array of length 3$/,
  );
});

test.run();

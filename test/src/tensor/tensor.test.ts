import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import { viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { throws } from '../../helpers/assertions.js';

const ARRAYS = [
  ['F64', Float64Array],
  ['F32', Float32Array],
  ['F16', Uint16Array],
  ['BF16', Uint16Array],
  ['I64', BigInt64Array],
  ['U64', BigUint64Array],
  ['I32', Int32Array],
  ['U32', Uint32Array],
  ['I16', Int16Array],
  ['U16', Uint16Array],
  ['I8', Int8Array],
  ['U8', Uint8Array],
  ['I4', Uint8Array],
  ['BOOL', Uint8Array],
  ['F8_E4M3', Uint8Array],
  ['constructor', Uint8Array],
] as const;

test('every dtype gets its array, shared when aligned, the same values when not', () => {
  const room = new Uint8Array(64).map((_, i) => i * 37);
  for (const [dtype, Elements] of ARRAYS) {
    const aligned = viewElements(dtype, room.subarray(8, 24));
    assert.instance(aligned, Elements);
    assert.is(aligned.buffer, room.buffer);
    assert.equal(viewBytes(aligned), room.subarray(8, 24));

    // Buffer: its slice() does not copy.
    const unaligned = viewElements(dtype, Buffer.from(room.buffer, 9, 16));
    assert.instance(unaligned, Elements);
    assert.is(unaligned.buffer === room.buffer, aligned.BYTES_PER_ELEMENT === 1);
    assert.equal(viewBytes(unaligned), room.subarray(9, 25));
  }
});

test('elements are little-endian', () => {
  assert.equal(viewElements('I64', Uint8Array.of(0xfe, ...Array(7).fill(0xff))), BigInt64Array.of(-2n));
  assert.equal(viewElements('F32', Uint8Array.of(0, 0, 0xc0, 0x3f)), Float32Array.of(1.5));
});

test('refuses a part of an element', () => {
  throws(() => viewElements('I64', new Uint8Array(12)), ArgumentError, /I64.*multiple of 8 bytes, got 12/);
});

test.run();

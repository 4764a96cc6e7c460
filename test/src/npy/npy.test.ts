import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NpyEncoderStream } from '../../../operators/index.js';
import { ArgumentError, UnsupportedError } from '../../../src/errors.js';
import { npyHeader } from '../../../src/npy/header.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { chunked, collect } from '../../helpers/streams.js';

const test = suite('npy');

/** A character a byte. (To a TextDecoder, 'latin1' means Windows-1252.) */
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

async function encode(
  dtype: string,
  shape: number[],
  bytes: Uint8Array,
  chunkSize: number,
): Promise<Uint8Array> {
  return new Uint8Array(
    Buffer.concat(await collect(chunked(bytes, chunkSize).pipeThrough(new NpyEncoderStream(dtype, shape)))),
  );
}

test('the header as NumPy writes it', () => {
  // numpy.save of numpy.zeros((3, 4), '<f4') begins with these 128 bytes.
  const bytes = npyHeader('F32', [3, 4]);
  assert.is(
    text(bytes),
    `\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }${' '.repeat(58)}\n`,
  );
  assert.match(text(npyHeader('I64', [])), /'<i8'.*'shape': \(\), \}/);
  assert.match(text(npyHeader('BOOL', [7])), /'\|b1'.*'shape': \(7,\), \}/);
  for (const rank of [1, 5, 17, 40]) assert.is(npyHeader('F16', new Array(rank).fill(3)).length % 64, 0);
  const long = npyHeader('F16', new Array(30_000).fill(1));
  assert.is(long[6], 2);
  assert.is(new DataView(long.buffer).getUint32(8, true) + 12, long.length);
  for (const dtype of ['F8_E4M3', 'F4', 'toString']) {
    throws(() => npyHeader(dtype, [2]), UnsupportedError, /NumPy/);
  }
});

test('data follow, cut anywhere', async () => {
  const bytes = pseudoRandomBytes(120);
  for (const size of [1, 3, 7, 120]) {
    const file = await encode('F32', [5, 6], bytes, size);
    assert.equal(file.slice(0, 128), npyHeader('F32', [5, 6]));
    assert.equal(file.slice(128), bytes);
    const widened = await encode('BF16', [60], bytes, size);
    const values = new Uint32Array(widened.slice(128).buffer);
    const words = new Uint16Array(bytes.buffer);
    assert.equal(
      [...values],
      [...words].map((word) => word * 65536),
    );
    const nibbles = (await encode('I4', [239], bytes, size)).slice(128);
    assert.is(nibbles.length, 239);
    for (const [i, value] of new Int8Array(nibbles.buffer).entries()) {
      assert.is(value & 15, (bytes[i >> 1]! >> ((i & 1) * 4)) & 15);
      assert.ok(value >= -8 && value <= 7);
    }
  }
});

test('an empty tensor is a header; wrong sizes are errors', async () => {
  assert.equal(await encode('F32', [0], new Uint8Array(0), 1), npyHeader('F32', [0]));
  await rejects(encode('F32', [2], new Uint8Array(7), 7), ArgumentError, /expected 8, got 7/);
  await rejects(encode('F32', [2], new Uint8Array(9), 9), ArgumentError, /expected 8, got 9/);
  await rejects(encode('BF16', [2], new Uint8Array(5), 5), ArgumentError, /do not fill/);
  await rejects(encode('I4', [3], new Uint8Array(3), 3), ArgumentError, /more bytes/);
  await rejects(encode('I4', [3], new Uint8Array(1), 1), ArgumentError, /expected 3, got 2/);
});

test.run();

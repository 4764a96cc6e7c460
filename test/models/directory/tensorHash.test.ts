import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HASH_PIECE_SIZE, TensorHash } from '../../../models/directory/tensorHash.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

const test = suite('tensor hash');

/** As docs/formats/model-directory.md says. */
function expected(bytes: Uint8Array): string {
  const pieces: bigint[] = [];
  for (let at = 0; at < bytes.length; at += 2 ** 20) pieces.push(xxh3(bytes.subarray(at, at + 2 ** 20)));
  const list = Buffer.concat(
    pieces.map((hash) => {
      const eight = Buffer.alloc(8);
      eight.writeBigUInt64LE(hash);
      return eight;
    }),
  );
  return xxh3(list).toString(16).padStart(16, '0');
}

test('cut anywhere, the same hash', () => {
  const whole = pseudoRandomBytes(2 * HASH_PIECE_SIZE + 12_345);
  for (const length of [
    0,
    1,
    1000,
    HASH_PIECE_SIZE - 1,
    HASH_PIECE_SIZE,
    HASH_PIECE_SIZE + 1,
    whole.length,
  ]) {
    const bytes = whole.subarray(0, length);
    for (const size of [999, 65_536, HASH_PIECE_SIZE, 3 * HASH_PIECE_SIZE]) {
      const hash = new TensorHash(portableKernels);
      for (let at = 0; at < length; at += size) hash.update(bytes.subarray(at, at + size));
      assert.is(hash.digest(), expected(bytes), `${length} bytes by ${size}`);
    }
  }
});

test('nothing has the hash that the format names', () => {
  assert.is(new TensorHash(portableKernels).digest(), '2d06800538d394c2');
});

test('any bit, and the order of pieces, count', () => {
  const hashOf = (bytes: Uint8Array) => {
    const hash = new TensorHash(portableKernels);
    hash.update(bytes);
    return hash.digest();
  };
  const bytes = pseudoRandomBytes(2 * HASH_PIECE_SIZE);
  const swapped = new Uint8Array(bytes.length);
  swapped.set(bytes.subarray(HASH_PIECE_SIZE));
  swapped.set(bytes.subarray(0, HASH_PIECE_SIZE), HASH_PIECE_SIZE);
  assert.is.not(hashOf(swapped), hashOf(bytes));
  bytes[HASH_PIECE_SIZE + 77]! ^= 1;
  const flipped = hashOf(bytes);
  bytes[HASH_PIECE_SIZE + 77]! ^= 1;
  assert.is.not(flipped, hashOf(bytes));
});

test.run();

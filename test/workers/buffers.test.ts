import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copyAll, localCopies } from '../../src/bytes/localCopies.js';
import { isShared } from '../../src/bytes/sharedMemory.js';
import { Buffers, CommonInput, unshared } from '../../workers/buffers.js';
import { isolated } from '../helpers/isolated.js';

test('what has come back is taken again, the last first, when it is not far too large', () => {
  const buffers = new Buffers(4);
  const [a, b] = [buffers.take(1_000_000), buffers.take(900_000)];
  buffers.give([a.buffer, b.buffer]);
  assert.is.not(buffers.take(400_000).buffer, b.buffer);
  const again = buffers.take(880_000);
  assert.is(again.buffer, b.buffer);
  assert.is(again.length, 880_000);
  assert.is(buffers.take(990_000).buffer, a.buffer);
});

test('keeps no more than it may', () => {
  const buffers = new Buffers(2);
  const taken = [1, 2, 3].map(() => buffers.take(100_000));
  buffers.give(taken.map(({ buffer }) => buffer));
  const free = [1, 2, 3].map(() => buffers.take(100_000).buffer);
  assert.equal(
    free.map((buffer) => taken.findIndex((view) => view.buffer === buffer)),
    [2, 1, -1],
  );
});

test('shared memory where it is allowed, and copied to where it is not', () =>
  isolated(false, () => {
    const buffers = new Buffers(1);
    assert.not(isShared(buffers.take(10).buffer));
    const mine = new Uint8Array(new SharedArrayBuffer(4));
    assert.is(buffers.copy(mine), mine);
    assert.equal(unshared([mine.buffer, new ArrayBuffer(1)]), [new ArrayBuffer(1)]);
  }));

const piece = fc
  .tuple(fc.uint8Array({ minLength: 8, maxLength: 40 }), fc.nat(7))
  .map(([bytes, skip]) => bytes.subarray(skip));

test('copies of many pieces, each aligned as it was', () => {
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const copies = copyAll(pieces, (size) => new Uint8Array(size));
      assert.equal(
        copies.map((copy) => Uint8Array.from(copy)),
        pieces.map((each) => Uint8Array.from(each)),
      );
      for (const [i, { byteOffset }] of copies.entries()) {
        assert.is(byteOffset % 8, pieces[i]!.byteOffset % 8);
        const { byteOffset: alone } = new Buffers(1).copy(pieces[i]!);
        assert.is(alone % 8, pieces[i]!.byteOffset % 8);
      }
    }),
  );
});

test('what is shared is read from memory of the own thread', () => {
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      assert.is(localCopies(pieces), pieces);
      const shared = copyAll(pieces, (size) => new Uint8Array(new SharedArrayBuffer(size)));
      const local = localCopies(shared);
      assert.equal(
        local.map((copy) => Uint8Array.from(copy)),
        pieces.map((each) => Uint8Array.from(each)),
      );
      assert.not(local.some(({ buffer }) => isShared(buffer)));
    }),
  );
});

const bytes = new Uint8Array(60_000).fill(3);

test('one copy for all tasks, back in the pool when the last has done with it', () => {
  const buffers = new Buffers(4);
  const common = new CommonInput(bytes);
  const [a, b] = [common.take(buffers), common.take(buffers)];
  assert.equal(Uint8Array.from(a.bytes), bytes);
  assert.is(a.bytes, b.bytes);
  assert.is(a.borrowed, undefined);
  a.done!();
  assert.is.not(buffers.take(60_000).buffer, a.bytes.buffer);
  b.done!();
  const c = common.take(buffers);
  assert.is(c.bytes.buffer, a.bytes.buffer, 'copied again for those who come later');
  c.done!();
  assert.is(buffers.take(60_000).buffer, a.bytes.buffer);
});

test('shared memory as it is, and a copy for each where none is allowed', () =>
  isolated(false, () => {
    const buffers = new Buffers(4);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    assert.equal(new CommonInput(shared).take(buffers), { bytes: shared });
    const common = new CommonInput(bytes);
    const [a, b] = [common.take(buffers), common.take(buffers)];
    assert.is.not(a.bytes.buffer, b.bytes.buffer);
    assert.equal(b.bytes, bytes);
    assert.is(b.borrowed![0], b.bytes.buffer);
  }));

test.run();

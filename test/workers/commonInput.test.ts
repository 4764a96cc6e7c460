import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Buffers } from '../../workers/buffers.js';
import { CommonInput } from '../../workers/commonInput.js';
import { isolated } from '../helpers/isolated.js';

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

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../../src/zip/crc32.js';

const test = suite('CRC-32');

test('of the text that all implementations are compared by, and of nothing', () => {
  assert.is(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.is(crc32(new Uint8Array(0)), 0);
});

test.run();

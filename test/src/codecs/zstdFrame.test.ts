import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkZstdFrame, zstdContentSize } from '../../../src/codecs/zstdFrame.js';
import { plainZstdFrame } from '../../../src/codecs/zstdNative.js';
import { CodecError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** One raw block of three bytes, marked as the last. */
const RAW_BLOCK = [(3 << 3) | 1, 0, 0, 1, 2, 3];

function check(bytes: number[], length = 3) {
  return checkZstdFrame(Uint8Array.from(bytes), length);
}

test('takes a frame of one segment as it is', () => {
  const bytes = Uint8Array.from([...MAGIC, 0x20, 3, ...RAW_BLOCK]);
  const frame = checkZstdFrame(bytes, 3);
  assert.equal(frame, {
    ...{ start: 0, blocksStart: 6, blocksEnd: 12, end: 12, checksum: undefined },
    ...{ hasChecksum: false, sizeAt: 5, contentSize: 3, window: 3, maxBlock: 3, singleSegment: true },
  });
  assert.equal(plainZstdFrame(bytes, frame, 3), bytes);
});

test('reads every width of the content size', () => {
  const widths: [number, number[]][] = [
    [0x60, [44, 0]],
    [0xa0, [44, 1, 0, 0]],
    [0xe0, [44, 1, 0, 0, 0, 0, 0, 0]],
  ];
  const rle = [((300 << 3) | 3) & 255, (300 << 3) >> 8, 0, 7];
  for (const [descriptor, size] of widths) {
    assert.type(check([...MAGIC, descriptor, ...size, ...rle], 300), 'object');
    throws(() => check([...MAGIC, descriptor, ...size, ...rle], 301), CodecError, /content size/);
  }
});

test('tells the content size that a frame states, if it does', () => {
  const sizeOf = (...bytes: number[]) => zstdContentSize(Uint8Array.from(bytes));
  assert.is(sizeOf(...MAGIC, 0x20, 3, ...RAW_BLOCK), 3);
  assert.is(sizeOf(...MAGIC, 0x60, 44, 0), 300);
  assert.is(sizeOf(...MAGIC, 0xa0, 44, 1, 0, 0), 300);
  assert.is(sizeOf(...MAGIC, 0x00, 0x58, ...RAW_BLOCK), undefined);
  assert.is(sizeOf(...MAGIC, 0xa0, 44, 1, 0), undefined, 'header cut short');
  assert.is(sizeOf(1, 2, 3, 4, 0x20, 3), undefined, 'no frame');
  assert.is(sizeOf(), undefined);
});

test('asks a decoder for no larger window than the content can use, and for none that limits blocks', () => {
  const plain = (bytes: number[], length: number) => {
    const frame = Uint8Array.from([9, ...bytes, 9]);
    // Between other bytes, as one of several frames.
    const { end, ...checked } = checkZstdFrame(frame.subarray(0, -1), length, 1);
    assert.is(end, frame.length - 1);
    return [...plainZstdFrame(frame, { end, ...checked }, length)];
  };
  const rest = [...RAW_BLOCK, 1, 2, 3, 4];
  assert.equal(plain([...MAGIC, 0x04, 17 << 3, ...rest], 3), [...MAGIC, 0x04, 7 << 3, ...rest]);
  assert.equal(plain([...MAGIC, 0x04, 17 << 3, ...rest], 2 ** 17 + 1), [...MAGIC, 0x04, 8 << 3, ...rest]);
  assert.equal(plain([...MAGIC, 0x84, 17 << 3, 3, 0, 0, 0, ...rest], 3), [
    ...MAGIC,
    0x84,
    7 << 3,
    3,
    0,
    0,
    0,
    ...rest,
  ]);
  for (const window of [0x00, 0x07, 0x38]) {
    assert.equal(plain([...MAGIC, 0x04, window, ...rest], 3), [...MAGIC, 0x04, window, ...rest]);
  }
});

test('gives out the checksum', () => {
  assert.is(check([...MAGIC, 0x24, 3, ...RAW_BLOCK, 0x78, 0x56, 0x34, 0xf2]).checksum, 0xf2345678);
});

test('refuses what is not one plain frame, and says where', () => {
  const cases: [string, number[], RegExp, number][] = [
    ['empty', [], /truncated/, 0],
    ['other magic', [0x28, 0xb5, 0x2f, 0xfe, 0x20, 3, ...RAW_BLOCK], /not a standard/, 0],
    ['reserved bit', [...MAGIC, 0x28, 3, ...RAW_BLOCK], /reserved bit/, 4],
    ['window of 256 MiB', [...MAGIC, 0x00, 18 << 3, ...RAW_BLOCK], /window/, 5],
    ['largest window', [...MAGIC, 0x00, 0xff, ...RAW_BLOCK], /window/, 5],
    ['dictionary', [...MAGIC, 0x21, 9, 3, ...RAW_BLOCK], /dictionary/, 5],
    ['content of gigabytes', [...MAGIC, 0xa0, 0, 0, 0, 0xff, ...RAW_BLOCK], /content size/, 5],
    ['content beyond a double', [...MAGIC, 0xe0, ...Array(8).fill(255), ...RAW_BLOCK], /content size/, 5],
    ['block above the window', [...MAGIC, 0, 0, 0x09, 0x20, 0, 1], /a block is too large/, 6],
    ['block above the only segment', [...MAGIC, 0x20, 3, 0x25, 0, 0, 1, 2, 3, 4], /a block is too large/, 6],
    ['cut in the header', [...MAGIC, 0xe0, 3, 0], /truncated/, 7],
    ['no block', [...MAGIC, 0x20, 3], /truncated/, 6],
    ['cut in a block', [...MAGIC, 0x20, 3, ...RAW_BLOCK.slice(0, -1)], /truncated/, 6],
    ['no last block', [...MAGIC, 0x20, 3, 3 << 3, 0, 0, 1, 2, 3], /truncated/, 12],
    ['cut in the checksum', [...MAGIC, 0x24, 3, ...RAW_BLOCK, 1, 2, 3], /truncated/, 12],
    ['reserved block', [...MAGIC, 0x20, 3, 0x1f, 0, 0, 1, 2, 3], /a block has the reserved type/, 6],
    ['block above 128 KiB', [...MAGIC, 0, 0x58, 0xfd, 0xff, 0xff, 1], /a block is too large/, 6],
    ['run of 128 KiB', [...MAGIC, 0, 0x58, 0x03, 0, 0x10, 1], /more content/, 6],
  ];
  for (const [name, bytes, pattern, offset] of cases) {
    const error = throws(() => check(bytes), CodecError, pattern);
    assert.is(error.offset, offset, name);
  }
});

test.run();

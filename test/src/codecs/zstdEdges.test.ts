import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { CodecError } from '../../../src/errors.js';
import { xxh64 } from '../../../src/kernels/zstd/portable/xxh64.js';
import { throws } from '../../helpers/assertions.js';
import { zstdOracles } from '../../helpers/libzstd.js';
import { randomFrom } from '../../helpers/random.js';
import { zstdImplementations } from '../../helpers/zstdImplementations.js';
import {
  distributionBytes,
  randomZstdFrame,
  skippableFrame,
  ZSTD_MAGIC,
  zstdBlock,
  zstdFrame,
} from '../../helpers/zstdWriter.js';

/**
 * Held against today's libzstd: what earlier versions of it refused or took by mistake, as its errata list it, and what no
 * encoder writes.
 */
const test = suite('Zstd: errata and edge cases');

const oracles = await zstdOracles();
const codecs = await Promise.all(
  zstdImplementations().map((implementation) => loadCodec('zstd', { implementation })),
);

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const join = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
const raw = (text: string, last = true) => zstdBlock('raw', ascii(text), last);
const compressed = (content: number[], last = true) => zstdBlock('compressed', content, last);
/** Three raw literals, then the bytes of the sequences section. */
const abc = (...sequences: number[]) => [3 << 3, 97, 98, 99, ...sequences];

/** A Huffman table for the symbols 0 and 1, one bit each: a weight of 1 for the first, and one that is implied. */
const TABLE = [128, 0x10];
/** Literals 0 1 0 1 … in four streams. */
function fourStreams(count: number, streams: readonly number[][]): number[] {
  const body = [...TABLE, ...streams.slice(0, 3).flatMap(({ length }) => [length, 0]), ...streams.flat()];
  const header = (body.length << 14) | (count << 4) | (1 << 2) | 2;
  return [header & 255, (header >> 8) & 255, header >> 16, ...body];
}

/** Weights by a distribution: accuracy 6, and a weight of 12 that no symbol has. */
function unusedWeight(most: number): number[] {
  const counts = Array<number>(most + 1).fill(0);
  counts[1] = 63;
  counts[most] = -1;
  const distribution = distributionBytes(counts, 6);
  // Two states of 6 bits, 0 and 0, and the mark: both give the weight 1.
  const weights = [...distribution, 0x00, 0x10];
  // The codes 00, 01 and 1; two literals.
  const body = [weights.length, ...weights, 0x11];
  const header = (body.length << 14) | (2 << 4) | 2;
  return [header & 255, (header >> 8) & 255, header >> 16, ...body, 0];
}

const fixture = Uint8Array.from(
  readFileSync(new URL('../../fixtures/inputs/zstd-seq0-2bytes.zst', import.meta.url)),
);

/** The content, or undefined for a frame that must be refused. */
const CASES: readonly (readonly [name: string, frame: Uint8Array, content: Uint8Array | undefined])[] = [
  ['no sequences, in two bytes', fixture, ascii('abc')],
  ['no sequences, in one byte', zstdFrame([compressed(abc(0))]), ascii('abc')],
  ['no sequences, in two bytes, and a byte behind', zstdFrame([compressed(abc(0x80, 0, 0))]), undefined],
  ['no sequences, in one byte, and a byte behind', zstdFrame([compressed(abc(0, 0))]), undefined],
  ['no sequences, in half of two bytes', zstdFrame([compressed(abc(0x80))]), undefined],
  [
    'no sequences in two bytes, then another block',
    zstdFrame([compressed(abc(0x80, 0), false), raw('d')]),
    ascii('abcd'),
  ],
  ['a count of three bytes, cut off', zstdFrame([compressed(abc(0xff, 0))]), undefined],
  [
    'a compressed block of 128 KiB',
    zstdFrame([compressed([0xcc, 0xff, 0x1f, ...Array(131068).fill(0), 0])], 17),
    new Uint8Array(131068),
  ],
  [
    'a compressed block of 128 KiB and a byte',
    zstdFrame([compressed([0xdc, 0xff, 0x1f, ...Array(131069).fill(0), 0])], 18),
    undefined,
  ],
  ['a compressed block of nothing', hex('28b52ffd 0000 150000 0000'), new Uint8Array(0)],
  [
    'a compressed block of nothing, larger than the only segment',
    hex('28b52ffd 2000 150000 0000'),
    undefined,
  ],
  ['a compressed block without sequences section', zstdFrame([compressed([3 << 3, 97, 98, 99])]), undefined],
  ['a compressed block of no byte', zstdFrame([compressed([])]), undefined],
  [
    'a block of one byte repeated comes first',
    hex('28b52ffd a001000200 020010 00 0b0000 00'),
    new Uint8Array(131073),
  ],
  ['a byte repeated 0 times', zstdFrame([zstdBlock('rle', [7], false, 0), raw('a')]), ascii('a')],
  [
    'raw blocks of nothing',
    zstdFrame([raw('', false), raw('ab', false), raw('', false), raw('')]),
    ascii('ab'),
  ],
  [
    'a table of two bytes, a bit stream of one',
    hex('28b52ffd 2027 c50000 80f3f1f0ecebc6c5c7f09d4300 0000e0e0 0658010060 3e52'),
    hex('f3f3f3f3f3 f1f1f1f1f1 f0f0f0f0f0 ececececec ebebebebeb c6c6c6c6 c5c7f09d43000000e0e0'),
  ],
  ['truncated states of Huffman weights', hex('28b52ffd 0000 550000 728001 04 20 7e 1f02aa 00'), undefined],
  ['an offset of 0', hex('28b52ffd 0000 450000 08000200 2f430bae'), undefined],
  ['reserved bits of the sequences', zstdFrame([compressed(abc(1, 0x01, 0x80))]), undefined],
  ['a sequence of repeated codes', zstdFrame([compressed(abc(1, 0x54, 3, 0, 0, 1))]), ascii('abcccc')],
  ['bits behind a sequence', zstdFrame([compressed(abc(1, 0x54, 3, 0, 0, 2))]), undefined],
  ['a repeated table without one', zstdFrame([compressed(abc(1, 0xd4, 0, 0, 1))]), undefined],
  [
    'a repeated table of one code',
    zstdFrame([compressed(abc(1, 0x54, 3, 0, 0, 1), false), compressed(abc(1, 0xfc, 1))]),
    ascii('abccccabcccc'),
  ],
  [
    'a repeated table after a block without sequences',
    zstdFrame([
      compressed(abc(1, 0x54, 3, 0, 0, 1), false),
      raw('xyz', false),
      compressed(abc(0), false),
      compressed(abc(1, 0xfc, 1)),
    ]),
    ascii('abccccxyzabcabcccc'),
  ],
  ['treeless literals without a table', zstdFrame([compressed([0x23, 0x40, 0, 0x06, 0])]), undefined],
  [
    'treeless literals',
    zstdFrame([compressed([0x22, 0xc0, 0, ...TABLE, 0x06, 0], false), compressed([0x23, 0x40, 0, 0x06, 0])]),
    hex('01000100'),
  ],
  [
    'treeless literals after raw and repeated ones',
    zstdFrame([
      compressed([0x22, 0xc0, 0, ...TABLE, 0x06, 0], false),
      compressed(abc(0), false),
      compressed([(2 << 3) | 1, 122, 0], false),
      compressed([0x23, 0x40, 0, 0x06, 0]),
    ]),
    hex('0100 616263 7a7a 0100'),
  ],
  [
    'four streams of six literals',
    zstdFrame([compressed([...fourStreams(6, [[0x05], [0x06], [0x04], [0x01]]), 0])]),
    hex('0001 0100 0000'),
  ],
  [
    'four streams of four literals',
    zstdFrame([compressed([...fourStreams(4, [[0x02], [0x03], [0x02], [0x03]]), 0])]),
    undefined,
  ],
  [
    'four streams of three literals',
    zstdFrame([compressed([...fourStreams(3, [[0x02], [0x03], [0x02], [0x01]]), 0])]),
    undefined,
  ],
  ['a distribution of weights up to 11', zstdFrame([compressed(unusedWeight(11))]), hex('0001')],
  ['a distribution with a weight of 12', zstdFrame([compressed(unusedWeight(12))]), undefined],
  [
    'literals above the window',
    zstdFrame([compressed([...[0x05 | (1025 << 4)].flatMap((n) => [n & 255, n >> 8]), 97, 0])], 10),
    undefined,
  ],
  [
    'literals as large as the window',
    zstdFrame([compressed([...[0x05 | (1024 << 4)].flatMap((n) => [n & 255, n >> 8]), 97, 0])], 10),
    new Uint8Array(1024).fill(97),
  ],
  [
    'a dictionary of number 0',
    join(Uint8Array.from([...ZSTD_MAGIC, 0x03, 0x58, 0, 0, 0, 0]), raw('a')),
    ascii('a'),
  ],
  ['a dictionary', join(Uint8Array.from([...ZSTD_MAGIC, 0x03, 0x58, 0, 0, 1, 0]), raw('a')), undefined],
];

for (const [name, frame, content] of CASES) {
  test(name, () => {
    assert.equal(oracles[0].decode(frame), content, oracles[0].name);
    for (const codec of codecs) {
      const out = new Uint8Array(content?.length ?? 131072);
      if (content === undefined) throws(() => codec.decompressInto(frame, out), CodecError);
      else {
        codec.decompressInto(frame, out);
        assert.equal(out, content, codec.implementation);
      }
    }
  });
}

test('the oracle is no older than 1.5.7', () => {
  const [major = 0, minor = 0, patch = 0] = oracles[0].version.split('.').map(Number);
  assert.ok(1e6 * major + 1e3 * minor + patch >= 1_005_007, oracles[0].version);
});

test('frames that no encoder writes', () => {
  const random = randomFrom(5);
  let bytes = 0;
  for (let i = 0; i < 1500; i++) {
    const { frame, content } = randomZstdFrame(random);
    for (const { name, decode } of oracles) assert.equal(decode(frame), content, `${name}, frame ${i}`);
    for (const codec of codecs) {
      const out = new Uint8Array(content.length);
      codec.decompressInto(frame, out);
      assert.equal(out, content, `${codec.implementation}, frame ${i}`);
    }
    bytes += content.length;
  }
  assert.ok(bytes > 100_000, `${bytes} bytes`);
});

/** With a content size and a checksum. */
function stated(text: string): Uint8Array {
  const content = ascii(text);
  const hash = Number(xxh64(content) & 0xffff_ffffn);
  const checksum = [0, 8, 16, 24].map((shift) => (hash >>> shift) & 255);
  return Uint8Array.from([...ZSTD_MAGIC, 0x24, text.length, ...raw(text), ...checksum]);
}

const unstated = (text: string) => zstdFrame([raw(text)]);
const skippable = skippableFrame([1, 2, 3]);

for (const codec of codecs) {
  const decode = (block: Uint8Array, length: number) => {
    const out = new Uint8Array(length);
    codec.decompressInto(block, out);
    return Buffer.from(out).toString('latin1');
  };

  test(`${codec.implementation}: several frames, and skippable ones`, () => {
    for (const frame of [stated, unstated]) {
      const whole = [
        join(frame('abc'), frame('de')),
        join(frame('abc'), unstated('de')),
        join(frame('abcde'), frame('')),
        join(frame(''), frame('abcde')),
        join(frame('a'), frame('b'), frame('c'), frame('d'), frame('e')),
        join(skippable, frame('abcde')),
        join(frame('abcde'), skippable),
        join(frame('abcde'), skippable, skippableFrame([], 15), frame('')),
        join(skippable, skippable, frame('abc'), skippable, frame('de')),
      ];
      for (const block of whole) {
        assert.is(decode(block, 5), 'abcde');
        for (const length of [0, 1, 4, 6, 200_000]) throws(() => decode(block, length), CodecError);
      }
    }
    assert.is(codec.contentSize?.(join(skippable, stated('abc'), skippable, stated('de'))), 5);
    assert.is(codec.contentSize?.(join(stated('abc'), unstated('de'))), undefined);
    assert.is(decode(skippable, 0), '');
    throws(() => decode(skippable, 1), CodecError, /wrong decoded length/);
  });

  test(`${codec.implementation}: what follows a frame and is none`, () => {
    const frame = stated('abc');
    for (const rest of [Uint8Array.of(0), ascii('xxxx'), ascii('not a frame at all'), frame.subarray(0, 3)]) {
      throws(() => decode(join(frame, rest), 3), CodecError, /bytes follow its end/);
    }
    for (let length = 4; length < frame.length; length++) {
      throws(() => decode(join(frame, frame.subarray(0, length)), 6), CodecError, /truncated/);
    }
    for (let length = 4; length < skippable.length; length++) {
      throws(() => decode(join(frame, skippable.subarray(0, length)), 3), CodecError, /truncated/);
      throws(() => decode(skippable.subarray(0, length), 0), CodecError, /truncated/);
    }
    const wrong = stated('de');
    wrong[wrong.length - 1]! ^= 1;
    throws(() => decode(join(frame, wrong), 5), CodecError);
  });
}

test.run();

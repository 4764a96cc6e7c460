import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FormatError, TruncatedError } from '../../../src/errors.js';
import {
  type FragmentIndexEntry,
  parseFragmentIndexEntry,
  type StoredFragment,
} from '../../../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../../../src/holotensor/header.js';
import { packHoloTensor } from '../../../src/holotensor/pack.js';
import { HoloTensorParser } from '../../../src/holotensor/parser.js';
import { DEFAULT_QUALITY_CURVES } from '../../../src/holotensor/quality.js';
import {
  serializeFragmentIndexEntry,
  serializeHoloTensorHeader,
} from '../../../src/holotensor/serializeHeader.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { throws } from '../../helpers/assertions.js';
import { concatBytes } from '../../helpers/bytes.js';
import { readReference } from '../../helpers/fixtures.js';
import { INT8_SCALE_1 } from '../../helpers/quantization.js';

const HEADER: HoloTensorHeader = {
  encoding: 'spectral',
  compression: 'lz4',
  flags: 0x0003,
  totalFragments: 3,
  originalSize: 24,
  seed: 0n,
  dtype: 'F32',
  shape: [2, 3],
  qualityCurve: DEFAULT_QUALITY_CURVES.spectral,
  norm: undefined,
  quantization: undefined,
};
const PAYLOADS = [Uint8Array.of(1, 2, 3, 4, 5), new Uint8Array(0), Uint8Array.of(6, 7)];

function fileOf(header: HoloTensorHeader, payloads = PAYLOADS): Uint8Array<ArrayBuffer> {
  const fragments = payloads.map((data, index) => ({ index, data }));
  return concatBytes(packHoloTensor(header, fragments, { kernels: portableKernels }));
}

function parse(...chunks: Uint8Array[]): StoredFragment[] {
  const parser = new HoloTensorParser();
  return [...chunks.flatMap((chunk) => [...parser.push(chunk)]), ...parser.flush()];
}

/** The file with other index entries, checksums left as they are. */
function withEntries(bytes: Uint8Array, alter: (entries: FragmentIndexEntry[]) => void): Uint8Array {
  const count = new DataView(bytes.buffer).getUint16(12, true);
  const entries = Array.from({ length: count }, (_, i) => parseFragmentIndexEntry(bytes, 96 + 24 * i));
  alter(entries);
  const copy = bytes.slice();
  entries.forEach((entry, i) => {
    copy.set(serializeFragmentIndexEntry(entry), 96 + 24 * i);
  });
  return copy;
}

test('a fragment comes out the moment its last byte is there', () => {
  const bytes = readReference('holo/spectral-2d-odd.holo');
  const parser = new HoloTensorParser();
  const ends: number[] = [];
  bytes.forEach((_, i) => {
    for (const { entry, stored } of parser.push(bytes.subarray(i, i + 1))) {
      ends.push(i + 1);
      assert.is(stored.length, entry.compressedSize);
      assert.is(xxh3(stored), entry.checksum);
    }
  });
  assert.equal([...parser.flush()], []);
  const dataStart = 96 + 5 * 24;
  const expected = [0, 1, 2, 3, 4].map((i) => {
    const { offset, compressedSize } = parseFragmentIndexEntry(bytes, 96 + 24 * i);
    return dataStart + offset + compressedSize;
  });
  assert.equal(ends, expected);
});

test('chunks may be cut anywhere', () => {
  const bytes = fileOf({ ...HEADER, quantization: INT8_SCALE_1 });
  const whole = parse(bytes);
  assert.equal(
    whole.map(({ stored }) => stored),
    PAYLOADS,
  );
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      assert.equal(parse(...chunks), whole);
    }),
  );
});

test('quantization metadata: as we write it, and as the reference does not', () => {
  const written = fileOf({ ...HEADER, quantization: INT8_SCALE_1 });
  assert.is(written.length, 96 + 8 + 3 * 24 + 7);
  assert.equal(parse(written)[0]!.header.quantization, INT8_SCALE_1);

  const flagged = serializeHoloTensorHeader({ ...HEADER, quantization: INT8_SCALE_1 });
  const absent = concatBytes([flagged, fileOf(HEADER).subarray(96)]);
  for (const fragments of [parse(absent), parse(absent.subarray(0, 170), absent.subarray(170))]) {
    assert.equal(
      fragments.map(({ stored }) => stored),
      PAYLOADS,
    );
    assert.is(fragments[0]!.header.quantization, undefined);
  }
});

test('without its metadata, a file of fewer than eight bytes of fragments is still read', () => {
  const header = { ...HEADER, totalFragments: 1 };
  const flagged = serializeHoloTensorHeader({ ...header, quantization: INT8_SCALE_1 });
  const bytes = concatBytes([flagged, fileOf(header, [Uint8Array.of(9)]).subarray(96)]);
  assert.equal(parse(bytes)[0]!.stored, Uint8Array.of(9));
  for (let length = 0; length < bytes.length; length++) {
    throws(() => parse(bytes.subarray(0, length)), TruncatedError);
  }
});

test('the inline form: no fragments by the header, one in the file', () => {
  const bytes = readReference('holo/lrdf-inline.holo');
  bytes[8] = 0;
  new DataView(bytes.buffer).setBigUint64(88, xxh3(bytes.subarray(0, 88)), true);
  const [fragment, ...rest] = parse(bytes);
  assert.is(rest.length, 0);
  assert.is(fragment!.entry.index, 0);
  assert.is(fragment!.header.totalFragments, 0);
  assert.equal(fragment!.stored, bytes.subarray(96 + 24));
});

test('every truncation is told, by name', () => {
  const bytes = fileOf({ ...HEADER, quantization: INT8_SCALE_1 });
  const places: [number, RegExp][] = [
    [0, /header/],
    [95, /header/],
    [96, /index/],
    [175, /index/],
    [176, /fragment 0/],
    [180, /fragment 0/],
    [181, /fragment 2/],
    [182, /fragment 2/],
  ];
  for (const [length, pattern] of places) {
    const error = throws(() => parse(bytes.subarray(0, length)), TruncatedError, pattern);
    assert.is(error.offset, length);
  }
});

test('what stands behind the last fragment is ignored', () => {
  assert.is(parse(concatBytes([fileOf(HEADER), new Uint8Array(100)])).length, 3);
});

test('fragments may be stored in any order', () => {
  const fragments = [2, 0, 1].map((index) => ({ index, data: PAYLOADS[index]! }));
  const bytes = concatBytes(packHoloTensor(HEADER, fragments, { kernels: portableKernels }));
  assert.equal(
    parse(bytes).map(({ entry, stored }) => [entry.index, stored]),
    [2, 0, 1].map((index) => [index, PAYLOADS[index]]),
  );
  const listedBackwards = withEntries(fileOf(HEADER), (entries) => entries.reverse());
  assert.equal(
    parse(listedBackwards).map(({ stored }) => stored.length),
    [5, 0, 2],
  );
});

test('an index that cannot be is refused', () => {
  const bytes = fileOf(HEADER);
  const cases: [string, Partial<FragmentIndexEntry>, RegExp][] = [
    ['number too high', { index: 3 }, /fragment number/],
    ['number twice', { index: 2 }, /listed twice/],
    ['hole', { offset: 6 }, /offset/],
    ['overlap', { offset: 4 }, /offset/],
    ['offset beyond the file', { offset: 2 ** 32 - 1 }, /offset/],
    ['stored as it is, of two sizes', { uncompressedSize: 1 }, /uncompressed size/],
    [
      'claims gigabytes',
      { compressedSize: 2 ** 32 - 1, uncompressedSize: 2 ** 32 - 1 },
      /stored size is too large|wrong offset/,
    ],
    ['unpacks to gigabytes', { flags: 1, uncompressedSize: 2 ** 32 - 1 }, /uncompressed size/],
    ['two algorithms', { flags: 3 }, /two compression flags/],
  ];
  for (const [name, change, pattern] of cases) {
    const wrong = withEntries(bytes, (entries) => {
      entries[1] = { ...entries[1]!, ...change };
    });
    throws(() => parse(wrong), FormatError, pattern);
    assert.ok(true, name);
  }
});

test('65,535 fragments in small chunks', () => {
  const header = { ...HEADER, totalFragments: 65535 };
  const payloads = Array.from({ length: 65535 }, (_, i) => Uint8Array.of(i, i >> 8));
  const bytes = fileOf(header, payloads);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 1000) chunks.push(bytes.subarray(at, at + 1000));
  const fragments = parse(...chunks);
  assert.is(fragments.length, 65535);
  assert.equal(fragments.at(-1)!.stored, payloads.at(-1));
});

test.run();

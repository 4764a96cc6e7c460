import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../../readers/hctReader.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { viewOf } from '../../../src/bytes/binary.js';
import {
  FormatError,
  HolostreamError,
  LimitError,
  TruncatedError,
  UnsupportedError,
} from '../../../src/errors.js';
import { parseHctHeader } from '../../../src/hct/header.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { hctFixtures } from '../../helpers/hctFixtures.js';
import { chunked } from '../../helpers/streams.js';

const test = suite('HCT: bad input');

/** Both ways in must fail with a typed error. */
async function bothRefuse(bytes: Uint8Array, kind: new (...args: never[]) => Error, pattern?: RegExp) {
  await rejects(collectTensor(chunked(bytes, 512)), kind as never, pattern);
  const read = async () => (await HctReader.open(bytesSource(bytes))).readAll();
  await rejects(read(), kind as never, pattern);
}

/** Changes a header and puts its checksum right again, so that only the lie itself can be found. */
function lie(file: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const bytes = file.slice();
  const view = viewOf(bytes);
  change(view);
  if (view.getUint32(4, true) === 2) view.setBigUint64(56, xxh3(bytes.subarray(0, 56)), true);
  return bytes;
}

async function smallFile(algorithm: 'lz4' | 'zstd'): Promise<{ file: Uint8Array; content: Uint8Array }> {
  const content = Uint8Array.from({ length: 96 }, (_, i) => (i * i) >> 3);
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'I8', shape: [8, 12], blockSize: 40, algorithm });
  await writer.write(content);
  await writer.close();
  return { file: sink.bytes, content };
}

test('truncated at every byte', async () => {
  for (const file of hctFixtures.filter(({ bytes }) => bytes.length < 3000)) {
    for (let length = 0; length < file.bytes.length; length++) {
      await bothRefuse(file.bytes.subarray(0, length), TruncatedError);
    }
  }
});

for (const algorithm of ['lz4', 'zstd'] as const) {
  test(`${algorithm}: no flipped bit of a version 2 file with checksums goes unnoticed`, async () => {
    const { file } = await smallFile(algorithm);
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const flipped = file.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await bothRefuse(flipped, HolostreamError);
    }
  });

  test(`${algorithm}: a flipped bit anywhere in a version 1 file gives a typed error or another tensor`, async () => {
    const content = Uint8Array.from({ length: 96 }, (_, i) => (i * i) >> 3);
    const sink = memorySink();
    const writer = new HctWriter(sink, { dtype: 'I8', shape: [96], version: 1, blockSize: 40, algorithm });
    await writer.write(content);
    await writer.close();
    for (let bit = 0; bit < 8 * sink.bytes.length; bit++) {
      const flipped = sink.bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        assert.is(viewBytes((await collectTensor(chunked(flipped, 50))).data).length, 96);
      } catch (error) {
        assert.instance(error, HolostreamError);
      }
    }
  });
}

test('headers that lie', async () => {
  const { file } = await smallFile('lz4');
  const cases: [RegExp, new (...args: never[]) => Error, (view: DataView) => void][] = [
    [/^Cannot read the HCT file: wrong magic/, FormatError, (view) => view.setUint8(0, 0)],
    [
      /^Cannot read the HCT file: unsupported version/,
      UnsupportedError,
      (view) => view.setUint32(4, 3, true),
    ],
    [/Cannot read the compression algorithm: unknown code/, FormatError, (view) => view.setUint8(8, 2)],
    [/Cannot read the dtype: unknown code/, FormatError, (view) => view.setUint8(9, 9)],
    [/rank.*got 255/, UnsupportedError, (view) => view.setUint8(36, 255)],
    [/rank.*got 4/, UnsupportedError, (view) => view.setUint8(36, 4)],
    [/original size/, FormatError, (view) => view.setBigUint64(12, 97n, true)],
    [/original size/, FormatError, (view) => view.setBigUint64(12, 2n ** 63n, true)],
    [
      /^Cannot read the HCT header: dimension 0 is too large/,
      FormatError,
      (view) => view.setBigUint64(37, 2n ** 60n, true),
    ],
    [/compressed sizes|shorter/, FormatError, (view) => view.setBigUint64(20, 2n ** 50n, true)],
    [/wrong number of blocks/, FormatError, (view) => view.setUint32(32, 2 ** 32 - 1, true)],
    [/wrong block size/, FormatError, (view) => view.setUint32(28, 0, true)],
  ];
  for (const [pattern, kind, change] of cases) await bothRefuse(lie(file, change), kind, pattern);
});

test('consistent claims beyond the caps are refused before anything is allocated', async () => {
  const { file } = await smallFile('lz4');
  const claim = (size: bigint, blockSize: number, blocks: number) =>
    lie(file, (view) => {
      view.setBigUint64(12, size, true);
      view.setBigUint64(37, size / 12n, true);
      view.setUint32(28, blockSize, true);
      view.setUint32(32, blocks, true);
    });
  await bothRefuse(claim(12n * 2n ** 28n, 1, 12 * 2 ** 28), LimitError, /limits\.headerBytes/);
  const largeBlock = claim(12n * 2n ** 26n, 12 * 2 ** 26, 1);
  const limits = { tensorBytes: 2 ** 26 };
  throws(() => parseHctHeader(largeBlock, { limits }), LimitError, /limits\.tensorBytes/);
  // Within the caps of the header, but the bytes are not there, or the tensor is too large to collect.
  await bothRefuse(claim(12n * 2n ** 24n, 2 ** 20, 192), HolostreamError);
});

test('the collectors keep to the limits', async () => {
  const { file } = await smallFile('lz4');
  await rejects(
    collectTensor(chunked(file, 10), { limits: { tensorBytes: 95 } }),
    LimitError,
    /limits\.tensorBytes\): expected at most 95, got 96/,
  );
  const opened = (tensorBytes: number) => HctReader.open(bytesSource(file), { limits: { tensorBytes } });
  await rejects((await opened(95)).readAll(), LimitError, /tensorBytes/);
  assert.is(viewBytes((await (await opened(96)).readAll()).data).length, 96);
});

test('blocks that overlap, leave holes or leave the file', async () => {
  const { file } = await smallFile('lz4');
  const entry = (i: number) => 64 + 16 * i;
  const change = (at: number, by: number) => {
    const bytes = file.slice();
    const view = viewOf(bytes);
    view.setUint32(at, view.getUint32(at, true) + by, true);
    return bytes;
  };
  await bothRefuse(change(entry(1), -1), FormatError, /block offset.*block 1/);
  await bothRefuse(change(entry(1), 1), FormatError, /block offset.*block 1/);
  await bothRefuse(change(entry(0) + 4, 1), FormatError, /block offset.*block 1/);
  await bothRefuse(change(entry(2) + 4, 1), FormatError, /sum of the compressed sizes/);
  await bothRefuse(change(entry(2) + 4, 2 ** 31), FormatError, /compressed size.*block 2/);
});

test('a Zstd block that claims gigabytes', async () => {
  const { file } = await smallFile('zstd');
  const reader = await HctReader.open(bytesSource(file));
  const frame = 64 + 16 * 3;
  // Frame header: magic, descriptor (single segment, 8-byte content size), size 2^40.
  const head = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0);
  assert.ok(reader.blocks.entry(0).compressedSize >= head.length);
  const bytes = file.slice();
  bytes.set(head, frame);
  viewOf(bytes).setBigUint64(
    64 + 8,
    xxh3(bytes.subarray(frame, frame + reader.blocks.entry(0).compressedSize)),
    true,
  );
  await bothRefuse(bytes, FormatError, /block 0/);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FragmentDecoderStream } from '../../operators/holotensor.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { HoloTensorWriter, type HoloTensorWriterOptions } from '../../sinks/holotensor.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ArgumentError, HolostreamError, LimitError, TruncatedError } from '../../src/errors.js';
import { FRAGMENT_FLAG_LZ4, FRAGMENT_FLAG_ZSTD } from '../../src/holotensor/constants.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import {
  serializeFragmentIndexEntry,
  serializeHoloTensorHeader,
} from '../../src/holotensor/serializeHeader.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import type { RandomAccessSource, SeekableSink } from '../../src/source.js';
import { assertClose, rejects } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { holoFile } from '../helpers/holoFiles.js';
import { noise } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';

/** Smooth and coarsely rounded: both codecs make its fragments smaller. */
const data = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.round(4 * Math.sin(i / 200)) / 4);
const shape = [64, 64];
const encoded = new HoloTensorEncoder('embedded', { fragments: 6 }).encode(data, shape);

async function written(
  options?: HoloTensorWriterOptions,
  { header, fragments } = encoded,
): Promise<Uint8Array> {
  const sink = memorySink();
  const size = await new HoloTensorWriter(sink, options).write(header, fragments);
  assert.is(sink.bytes.length, size);
  return sink.bytes.slice();
}

/** The source, and the ranges that are read from it. */
function watched(bytes: Uint8Array): { source: RandomAccessSource; reads: [number, number][] } {
  const inner = bytesSource(bytes);
  const reads: [number, number][] = [];
  const source = {
    ...inner,
    read(offset: number, length: number, options?: object) {
      reads.push([offset, offset + length]);
      return inner.read(offset, length, options);
    },
  };
  return { source, reads };
}

for (const compression of ['zstd', 'lz4', 'none'] as const) {
  test(`${compression}: fragments come back as they were, smaller where that helps`, async () => {
    const spectral = new HoloTensorEncoder('spectral', { fragments: 4 }).encode(
      new Float32Array(4096),
      shape,
    );
    const fragments = spectral.fragments.map(({ index, data }) =>
      index === 2 ? { index, data: new Uint8Array(noise(data.length / 4, 7).buffer) } : { index, data },
    );
    const bytes = await written({ compression }, { ...spectral, fragments });
    const reader = await HoloTensorReader.open(bytesSource(bytes));
    const flag = { zstd: FRAGMENT_FLAG_ZSTD, lz4: FRAGMENT_FLAG_LZ4, none: 0 }[compression];
    for (const { index, flags, compressedSize, uncompressedSize } of reader.entries) {
      const shrinks = index !== 2 && compression !== 'none';
      if (index !== 2) assert.is(flags, shrinks ? flag : 0);
      assert.is(compressedSize < uncompressedSize, flags !== 0);
      assert.equal((await reader.readFragment(index)).data, fragments[index]!.data);
    }
    assert.is(reader.header.compression, compression === 'zstd' ? 'zstd' : 'lz4');
  });
}

test('opening reads what stands in front of the fragments, readFragment just the fragment', async () => {
  const { source, reads } = watched(await written());
  const reader = await HoloTensorReader.open(source);
  assert.equal(reads.splice(0), [
    [0, 96],
    [96, 96 + 6 * 24],
  ]);
  const { offset, compressedSize } = reader.entries[3]!;
  const fragment = await reader.readFragment(3);
  assert.equal(reads, [[reader.dataStart + offset, reader.dataStart + offset + compressedSize]]);
  assert.is(fragment.index, 3);
  for (const index of [6, -1, 0.5])
    await rejects(reader.readFragment(index), ArgumentError, /value of fragmentIndex/);
});

test('readAll: the tensor, in one read', async () => {
  const { source, reads } = watched(await written());
  const reader = await HoloTensorReader.open(source);
  reads.length = 0;
  const all = await reader.readAll();
  assert.is(reads.length, 1);
  assert.equal(all.data, data);
  assert.ok(all.complete);
  assert.equal([all.fragments, all.total], [6, 6]);
  assert.is(all.quality.cosine, 1);
});

test('readToQuality reads no more than it takes', async () => {
  const { source, reads } = watched(await written());
  const reader = await HoloTensorReader.open(source);
  const cosines = [...encoded.cosines];
  // Files have cosines in single precision.
  for (const quality of [0, 0.5, cosines[2]! - 1e-7, 0.99, 1]) {
    reads.length = 0;
    const { fragments, quality: reached, complete } = await reader.readToQuality(quality);
    const enough = quality === 1 ? 6 : cosines.findIndex((cosine) => cosine >= quality) + 1;
    assert.is(fragments, enough, `${quality}`);
    assert.is(reads.length, enough);
    assert.ok(reached.cosine! >= quality);
    assert.ok(Math.abs(reached.cosine! - cosines[enough - 1]!) < 1e-6, `${reached.cosine}`);
    assert.is(complete, enough === 6);
  }
  for (const quality of [1.1, -0.1, Number.NaN]) {
    await rejects(reader.readToQuality(quality), ArgumentError, /from 0 to 1/);
  }
});

test('readToQuality goes by the curve where there is no norm', async () => {
  const spectral = new HoloTensorEncoder('spectral').encode(noise(400), [20, 20]);
  const bytes = await written({}, { ...spectral, header: { ...spectral.header, norm: undefined } });
  const reader = await HoloTensorReader.open(bytesSource(bytes));
  const { fragments, quality } = await reader.readToQuality(0.75);
  assert.is(quality.cosine, undefined);
  assert.is(quality.relativeError, undefined);
  assert.is(fragments, reader.header.qualityCurve.fragmentsForQuality(0.75, 8));
  // k of 8 are worth about √(k/8), and the curve is fitted to that: 0.71 for 4, 0.79 for 5.
  assert.is(fragments, 5);
});

test('any fragments, in any order', async () => {
  const spectral = holoFile('spectral', data, shape);
  const reader = await HoloTensorReader.open(bytesSource(spectral));
  const a = await reader.readFragments([6, 1, 3]);
  const b = await reader.readFragments(new Set([3, 6, 1, 3]));
  assert.equal(a.data, b.data);
  assert.is(a.fragments, 3);
  const none = await reader.readFragments([]);
  assert.equal(none.data, new Float32Array(4096));
  assert.is(none.quality.fraction, 0);
  assert.is(none.quality.cosine, 0);
});

test("dtype 'source' gives the elements that were encoded", async () => {
  const bits = Uint16Array.from({ length: 600 }, (_, i) => 37 * i);
  const tensor = { dtype: 'BF16', shape: [20, 30], data: bits } as const;
  for (const name of ['embedded', 'spectral'] as const satisfies HolographicEncoding[]) {
    const finite = { ...tensor, data: bits.map((pattern) => 0x3f00 + (pattern % 256)) };
    const source = name === 'embedded' ? tensor : finite;
    const bytes = await written({}, new HoloTensorEncoder(name).encodeTensor(source));
    const reader = await HoloTensorReader.open(bytesSource(bytes));
    const { dtype, data: elements } = await reader.readAll({ dtype: 'source' });
    assert.is(dtype, 'BF16');
    assert.equal(elements, source.data);
    assert.is((await reader.readAll()).dtype, 'F32');
  }
});

test('a tensor larger than the cap is not allocated', async () => {
  const source = bytesSource(await written());
  const opened = (tensorBytes: number) => HoloTensorReader.open(source, { limits: { tensorBytes } });
  await rejects((await opened(4 * 4096 - 1)).readAll(), LimitError, /limits\.tensorBytes/);
  assert.is((await (await opened(4 * 4096)).readAll()).fragments, 6);
});

test('a file cannot make a reader allocate more than the cap, however large it says its tensor is', async () => {
  const gigabytes = 2 ** 32 - 1;
  const limits = { tensorBytes: 2 ** 30 };
  const header = { ...encoded.header, shape: [2 ** 20, 2 ** 20], originalSize: 2 ** 42, totalFragments: 1 };
  // A Zstd frame of 14 bytes whose header promises gigabytes; the index agrees, or repeats the stored size.
  const frame = new Uint8Array(14);
  new DataView(frame.buffer).setUint32(0, 0xfd2fb528, true);
  frame.set([0xa0, 0xff, 0xff, 0xff, 0xff], 4);
  const front = serializeHoloTensorHeader(header);
  for (const uncompressedSize of [gigabytes, frame.length]) {
    const entry = {
      index: 0,
      flags: 1,
      offset: 0,
      compressedSize: 14,
      uncompressedSize,
      checksum: xxh3(frame),
    };
    const bytes = concatBytes([front, serializeFragmentIndexEntry(entry), frame]);
    const reader = await HoloTensorReader.open(bytesSource(bytes), { limits });
    await rejects(reader.readFragment(0), LimitError, /tensorBytes/);
    await rejects(reader.readAll(), LimitError, /tensorBytes/);
    await rejects(
      collect(chunked(bytes, 50).pipeThrough(new FragmentDecoderStream({ limits }))),
      LimitError,
      /tensorBytes/,
    );
  }
  const stored = {
    index: 0,
    flags: 0,
    offset: 0,
    compressedSize: gigabytes,
    uncompressedSize: gigabytes,
    checksum: 1n,
  };
  const endless = concatBytes([front, serializeFragmentIndexEntry(stored), new Uint8Array(1000)]);
  await rejects(
    (await HoloTensorReader.open(bytesSource(endless), { limits })).readFragment(0),
    LimitError,
    /tensorBytes/,
  );
  await rejects(
    collect(chunked(endless, 50).pipeThrough(new FragmentDecoderStream({ limits }))),
    LimitError,
    /tensorBytes/,
  );
});

test('reading can be aborted', async () => {
  const reader = await HoloTensorReader.open(bytesSource(await written()));
  const signal = AbortSignal.abort(new Error('enough'));
  await rejects(reader.readAll({ signal }), Error, /enough/);
  await rejects(reader.readFragment(0, { signal }), Error, /enough/);
});

test('a writer that fails leaves nothing: wrong fragments, a full disk, an abort', async () => {
  const { header, fragments } = encoded;
  const aborted: unknown[] = [];
  const sink = (fails: boolean): SeekableSink => ({
    write: async () => {
      if (fails) throw new Error('disk full');
    },
    close: async () => {
      throw new Error('must not be closed');
    },
    abort: async (reason) => {
      aborted.push(reason);
    },
  });
  const write = (list: typeof fragments, fails = false, options = {}) =>
    new HoloTensorWriter(sink(fails), options).write(header, list);
  await rejects(write(fragments.slice(1)), ArgumentError, /each fragment exactly once/);
  await rejects(write([...fragments.slice(1), fragments[1]!]), ArgumentError, /each fragment exactly once/);
  await rejects(write([...fragments.slice(1), { ...fragments[0]!, index: 6 }]), ArgumentError, /no such/);
  await rejects(write(fragments, true), Error, /disk full/);
  await rejects(write(fragments, false, { signal: AbortSignal.abort(new Error('stop')) }), Error, /stop/);
  assert.is(aborted.length, 5);
});

test('every truncation is a typed error, at opening or at reading', async () => {
  const bytes = await written();
  for (let length = 0; length < bytes.length; length++) {
    const run = async () => (await HoloTensorReader.open(bytesSource(bytes.subarray(0, length)))).readAll();
    await rejects(run(), TruncatedError);
  }
});

test('no flipped bit gives a wrong tensor', async () => {
  const small = new HoloTensorEncoder('spectral', { fragments: 3 }).encode(noise(20).map(Math.round), [4, 5]);
  for (const compression of ['zstd', 'none'] as const) {
    const bytes = await written({ compression }, small);
    const original = (await (await HoloTensorReader.open(bytesSource(bytes))).readAll()).data;
    let unnoticed = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const reader = await HoloTensorReader.open(bytesSource(flipped));
        assert.equal((await reader.readAll()).data, original, `bit ${bit}`);
        unnoticed += 1;
      } catch (error) {
        if (!(error instanceof HolostreamError)) throw error;
      }
    }
    // The entries' 14 flag bits without a meaning, of three entries; nothing else is neither checked nor used.
    assert.ok(unnoticed <= 3 * 14, `${unnoticed}`);
  }
});

test('stored in another order, a file streams in that order and reads the same', async () => {
  const { header, fragments } = new HoloTensorEncoder('spectral', { fragments: 5 }).encode(data, shape);
  const bytes = await written({}, { ...encoded, header, fragments: fragments.toReversed() });
  const reader = await HoloTensorReader.open(bytesSource(bytes));
  assert.equal(
    reader.entries.map(({ index }) => index),
    [4, 3, 2, 1, 0],
  );
  assertClose((await reader.readAll()).data as Float32Array, data, 1e-6);
});

test.run();

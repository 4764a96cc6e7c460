import fc from 'fast-check';
import * as fzstd from 'fzstd';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codec } from '../../../src/codecs/codec.js';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { CodecError, UnsupportedError } from '../../../src/errors.js';
import { xxh64 } from '../../../src/kernels/zstd/portable/xxh64.js';
import { throws } from '../../helpers/assertions.js';
import { blockArbitrary, blockData } from '../../helpers/blockData.js';
import { withCanaries } from '../../helpers/canaries.js';
import { zstdOracles } from '../../helpers/libzstd.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { zstdImplementations } from '../../helpers/zstdImplementations.js';

const [libzstd] = await zstdOracles();
const encoder = await loadCodec('zstd', { implementation: 'wasm' });
const codecs: Codec[] = [];
for (const implementation of zstdImplementations()) codecs.push(await loadCodec('zstd', { implementation }));

function decoded(codec: Codec, block: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  withCanaries(length, (guarded) => {
    codec.decompressInto(block, guarded);
    out.set(guarded);
  });
  return out;
}

/** A frame with the content checksum that our encoder leaves out. */
function withChecksum(frame: Uint8Array, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length + 4);
  bytes.set(frame);
  bytes[4]! |= 0x04;
  new DataView(bytes.buffer).setUint32(frame.length, Number(xxh64(content) & 0xffff_ffffn), true);
  return bytes;
}

/** The same frame as if its length had not been known when it was begun: a window, no content size. */
function withoutContentSize(frame: Uint8Array): Uint8Array {
  const sizeFlag = frame[4]! >> 6;
  const headerEnd = 5 + (sizeFlag === 0 ? 1 : 1 << sizeFlag);
  return Uint8Array.from([...frame.subarray(0, 4), 0x00, 0x58, ...frame.subarray(headerEnd)]);
}

for (const codec of codecs) {
  const { implementation } = codec;

  test(`${implementation}: gives back what was compressed`, () => {
    fc.assert(
      fc.property(blockArbitrary(40_000), fc.constantFrom(1, 3, 9), (data, level) => {
        const frame = encoder.compress(data, { level });
        assert.equal(decoded(codec, frame, data.length), data);
        assert.equal(decoded(codec, withoutContentSize(frame), data.length), data);
      }),
      { numRuns: 120 },
    );
  });

  test(`${implementation}: decodes blocks of a megabyte and more`, () => {
    for (const kind of ['bf16', 'text', 'sparse'] as const) {
      const data = blockData(kind, 1_300_000);
      assert.ok(Buffer.from(decoded(codec, encoder.compress(data), data.length)).equals(data), kind);
    }
  });

  test(`${implementation}: verifies the content checksum`, () => {
    const data = blockData('text', 5000);
    const frame = withChecksum(encoder.compress(data), data);
    assert.equal(decoded(codec, frame, data.length), data);
    frame[frame.length - 1]! ^= 1;
    throws(() => decoded(codec, frame, data.length), CodecError);
  });

  test(`${implementation}: refuses an output of another length`, () => {
    const data = blockData('text', 3000);
    const frame = encoder.compress(data);
    for (const length of [0, 1, 2999, 3001, 100_000]) {
      throws(() => decoded(codec, frame, length), CodecError, /content size/);
      throws(() => decoded(codec, withoutContentSize(frame), length), CodecError);
    }
  });

  test(`${implementation}: refuses every truncation`, () => {
    const data = blockData('text', 2000);
    const frame = encoder.compress(data);
    for (let length = 0; length < frame.length; length++) {
      throws(() => decoded(codec, frame.subarray(0, length), data.length), CodecError);
    }
  });

  test(`${implementation}: after a refused frame it decodes the next`, () => {
    const data = blockData('bf16', 16384);
    const frame = encoder.compress(data);
    for (let place = 12; place < frame.length; place += 97) {
      const broken = frame.slice();
      broken[place]! ^= 0x55;
      try {
        decoded(codec, broken, data.length);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
      assert.equal(decoded(codec, frame, data.length), data);
    }
  });
}

for (const codec of codecs.filter(({ implementation }) => implementation !== 'portable')) {
  test(`${codec.implementation}: compresses to one frame, also where it fills a buffer of the runtime's`, () => {
    // The buffers of zlib have 16384 bytes.
    for (const buffers of [1, 2, 9]) {
      for (let length = buffers * 16384 - 60; length < buffers * 16384; length++) {
        const data = pseudoRandomBytes(length);
        assert.ok(Buffer.from(decoded(codec, codec.compress(data), length)).equals(data), `${length} bytes`);
      }
    }
  });

  test(`${codec.implementation}: compresses to frames that libzstd and fzstd accept`, () => {
    for (const data of fc.sample(blockArbitrary(20_000), 200)) {
      const frame = codec.compress(data);
      assert.equal(libzstd.decode(frame), data);
      assert.equal(fzstd.decompress(frame), data);
    }
  });
}

test('the portable implementation says that it cannot compress', async () => {
  const portable = await loadCodec('zstd', { implementation: 'portable' });
  throws(
    () => portable.compress(new Uint8Array(10)),
    UnsupportedError,
    /^Cannot compress with Zstd: it needs WebAssembly/,
  );
});

test.run();

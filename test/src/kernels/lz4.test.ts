import fc from 'fast-check';
import { compressBlock, decompressBlock } from 'lz4js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CodecError } from '../../../src/errors.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { blockArbitrary, blockData } from '../../helpers/blockData.js';
import { withCanaries } from '../../helpers/canaries.js';
import { liblz4Decode } from '../../helpers/liblz4.js';
import { Outcomes } from '../../helpers/outcomes.js';

const wasmKernels = await loadKernels({ implementation: 'wasm' });

for (const { implementation, lz4Compress, lz4DecompressInto } of [portableKernels, wasmKernels]) {
  function decoded(block: Uint8Array, length: number): Uint8Array {
    const out = new Uint8Array(length);
    withCanaries(length, (guarded) => {
      lz4DecompressInto(block, guarded);
      out.set(guarded);
    });
    return out;
  }

  /** Decodes and reports whether the block was accepted; any other error than CodecError fails the test. */
  function accepts(block: Uint8Array, length: number): boolean {
    try {
      decoded(block, length);
      return true;
    } catch (error) {
      if (error instanceof CodecError) return false;
      throw error;
    }
  }

  test(`${implementation}: gives back what was compressed`, () => {
    fc.assert(
      fc.property(blockArbitrary(40_000), (data) => {
        assert.equal(decoded(lz4Compress(data), data.length), data);
      }),
      { numRuns: 300 },
    );
  });

  test(`${implementation}: the checksum of the block comes before anything is decoded`, () => {
    fc.assert(
      fc.property(blockArbitrary(40_000), (data) => {
        const block = lz4Compress(data);
        const out = new Uint8Array(data.length);
        const seen: bigint[] = [];
        lz4DecompressInto(block, out, (xxh3) => {
          assert.ok(out.every((byte) => byte === 0));
          seen.push(xxh3);
        });
        assert.equal(seen, [portableKernels.xxh3(block)]);
        assert.equal(out, data);
        out.fill(7);
        const refuse = () => {
          throw new RangeError('another checksum');
        };
        throws(() => lz4DecompressInto(block, out, refuse), RangeError);
        assert.ok(out.every((byte) => byte === 7));
      }),
    );
    // A block that cannot be decoded is refused for its checksum first.
    const checked: bigint[] = [];
    const bad = Uint8Array.of(0xf0, 1);
    throws(() => lz4DecompressInto(bad, new Uint8Array(4), (xxh3) => checked.push(xxh3)), CodecError);
    assert.equal(new Set(checked), new Set([portableKernels.xxh3(bad)]));
  });

  test(`${implementation}: finds matches at the far end of the window, and none beyond`, () => {
    for (const distance of [65534, 65535, 65536, 65537]) {
      // Zeros between, so that few places pass through the hash table and the phrase is still in it.
      const phrase = blockData('random', 300, 7);
      const data = new Uint8Array(distance + 400);
      data.set(phrase, 0);
      data.set(phrase, distance);
      const block = lz4Compress(data);
      assert.equal(decoded(block, data.length), data);
      assert.is(block.length < 800, distance <= 65535, `distance ${distance}`);
    }
  });

  test(`${implementation}: compresses in proportion to what there is to save`, () => {
    assert.ok(lz4Compress(blockData('zeros', 16384)).length < 100);
    assert.ok(lz4Compress(blockData('sparse', 16384)).length < 5000);
    assert.ok(lz4Compress(blockData('random', 16384)).length <= 16384 + 16384 / 255 + 16);
  });

  test(`${implementation}: gives the same block whatever was compressed before`, () => {
    const data = blockData('text', 5000);
    const first = lz4Compress(data);
    lz4Compress(blockData('text', 90_000, 5));
    assert.equal(lz4Compress(data), first);
  });

  test(`${implementation}: writes blocks that liblz4 and lz4js decode`, async () => {
    const inputs = fc.sample(blockArbitrary(20_000), 800);
    const blocks = inputs.map(lz4Compress);
    const all = Buffer.concat(inputs);
    assert.ok(all.equals(await liblz4Decode(blocks, all.length)));
    blocks.forEach((block, i) => {
      const input = inputs[i]!;
      const out = new Uint8Array(input.length);
      assert.is(decompressBlock(block, out, 0, block.length, 0), input.length);
      assert.equal(out, input);
    });
  });

  test(`${implementation}: the check against liblz4 sees a match that ends too late`, async () => {
    // 8 literals, a match of 8 at offset 8, no last literals: decodable, but against the end-of-block rules.
    const block = Uint8Array.from([0x84, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0, 0x00]);
    assert.equal(decoded(block, 16), Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8]));
    await rejects(liblz4Decode([block], 16), Error, /decompression/);
  });

  test(`${implementation}: decodes blocks of lz4js`, () => {
    fc.assert(
      fc.property(blockArbitrary(20_000), (data) => {
        const block = new Uint8Array(data.length * 2 + 64);
        const length = compressBlock(data, block, 0, data.length, new Uint32Array(1 << 16));
        // It answers 0 when it found no match; the caller then stores the bytes as they are.
        if (length > 0) assert.equal(decoded(block.subarray(0, length), data.length), data);
      }),
      { numRuns: 200 },
    );
  });

  test(`${implementation}: repeats matches of every short period`, () => {
    for (let offset = 1; offset <= 20; offset++) {
      for (const extra of [0, 5, 60, 200]) {
        const literals = Uint8Array.from({ length: offset }, (_, i) => i + 1);
        const lengthBytes = extra < 15 ? [] : [extra - 15];
        const first = offset < 15 ? [offset << 4] : [0xf0, offset - 15];
        first[0]! |= Math.min(extra, 15);
        const block = Uint8Array.from([...first, ...literals, offset, 0, ...lengthBytes, 0x00]);
        const total = offset + extra + 4;
        assert.equal(
          decoded(block, total),
          Uint8Array.from({ length: total }, (_, i) => (i % offset) + 1),
        );
      }
    }
  });

  test(`${implementation}: names what is wrong and where`, () => {
    const cases: [string, number[], number, RegExp, number][] = [
      ['no token', [], 0, /without its last literals/, 0],
      ['literals cut', [0x30, 1, 2], 3, /within literals/, 1],
      ['literal length cut', [0xf0, 255], 300, /length of literals/, 2],
      ['offset cut', [0x10, 7, 1], 9, /within a match offset/, 2],
      ['offset 0', [0x10, 7, 0, 0, 0x00], 5, /offset is 0/, 2],
      ['offset before the start', [0x10, 7, 2, 0, 0x00], 5, /before the start/, 2],
      ['match length cut', [0x1f, 7, 1, 0], 100, /length of a match/, 4],
      ['ends with a match', [0x10, 7, 1, 0], 5, /without its last literals/, 4],
      ['too many literals', [0x30, 1, 2, 3], 2, /too many/, 1],
      ['match too long', [0x10, 7, 1, 0, 0x00], 4, /too many/, 4],
      ['too few', [0x20, 1, 2], 3, /too few/, 3],
      ['trailing bytes', [0x10, 7, 1, 0, 0x00, 0x20, 1, 2], 5, /too many|before/, 5],
    ];
    for (const [name, block, length, pattern, offset] of cases) {
      const error = throws(() => decoded(Uint8Array.from(block), length), CodecError, pattern);
      assert.is(error.offset, offset, name);
    }
  });

  test(`${implementation}: refuses every truncation, and every output that is too short or too long`, () => {
    for (const kind of ['random', 'sparse', 'narrow', 'text'] as const) {
      const data = blockData(kind, 600);
      const block = lz4Compress(data);
      for (let length = 0; length < block.length; length++) {
        assert.not(accepts(block.subarray(0, length), data.length), `${kind} cut at ${length}`);
      }
      for (let length = 0; length < data.length + 40; length++) {
        assert.is(accepts(block, length), length === data.length, `${kind} into ${length}`);
      }
    }
  });

  test(`${implementation}: stays inside its buffers on mutated blocks`, () => {
    const seen = new Outcomes();
    fc.assert(
      fc.property(
        blockArbitrary(3000),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (data, edits) => {
          // Read from the middle of a larger buffer: a read past the block would find these bytes and go on.
          const block = lz4Compress(data);
          const around = new Uint8Array(block.length + 128).fill(0x11);
          around.set(block, 64);
          const mutated = around.subarray(64, 64 + block.length);
          for (const [place, value] of edits) mutated[place % block.length] = value;
          seen.add(accepts(mutated, data.length));
        },
      ),
      { numRuns: 1000 },
    );
    seen.assertBoth(0.3);
  });
}

test('both implementations write the same blocks', () => {
  fc.assert(
    fc.property(blockArbitrary(100_000), (data) => {
      assert.equal(wasmKernels.lz4Compress(data), portableKernels.lz4Compress(data));
    }),
    { numRuns: 100 },
  );
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Implementation } from '../../../src/codecs/codec.js';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import { manifest, readReference } from '../../helpers/fixtures.js';
import { zstdImplementations } from '../../helpers/zstdImplementations.js';

interface Fixture {
  readonly file: string;
  readonly expected: string;
  readonly version: number;
  readonly algorithm: 'lz4' | 'zstd';
  readonly blockSize: number;
  readonly quantization?: object;
}

const HEADER = 64;
const QUANTIZATION = 8;

/** The blocks of a file of the reference, taken apart without the library's parser. */
function blocksOf(file: Uint8Array, { version, quantization }: Fixture): Uint8Array[] {
  const view = new DataView(file.buffer);
  const count = view.getUint32(32, true);
  const entrySize = version === 1 ? 8 : 16;
  const index = HEADER + (quantization === undefined ? 0 : QUANTIZATION);
  const data = index + count * entrySize;
  return Array.from({ length: count }, (_, i) => {
    const start = data + view.getUint32(index + i * entrySize, true);
    return file.subarray(start, start + view.getUint32(index + i * entrySize + 4, true));
  });
}

for (const described of manifest<Fixture[]>('hct')) {
  test(`${described.file}: every block decodes`, async () => {
    const blocks = blocksOf(readReference(described.file), described);
    const expected = readReference(described.expected);
    const implementations: Implementation[] =
      described.algorithm === 'lz4' ? ['portable', 'wasm'] : zstdImplementations();
    assert.is(blocks.length, Math.ceil(expected.length / described.blockSize));
    for (const implementation of implementations) {
      const codec = await loadCodec(described.algorithm, { implementation });
      const decoded = new Uint8Array(expected.length);
      blocks.forEach((block, i) => {
        const start = i * described.blockSize;
        codec.decompressInto(block, decoded.subarray(start, start + described.blockSize));
      });
      assert.ok(Buffer.from(decoded).equals(expected), implementation);
    }
  });
}

test.run();

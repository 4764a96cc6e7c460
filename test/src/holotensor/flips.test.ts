import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { HoloTensorWriter } from '../../../sinks/holotensor.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { HolostreamError } from '../../../src/errors.js';
import {
  FRAGMENT_FLAG_LZ4,
  FRAGMENT_FLAG_ZSTD,
  FRAGMENT_INDEX_ENTRY_SIZE,
  HOLO_HEADER_SIZE,
} from '../../../src/holotensor/constants.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../../../src/holotensor/encoder.js';
import { INT8_SCALE_1 } from '../../helpers/quantization.js';

const test = suite('HoloTensor: flipped bits');

async function fileOf(
  options: HoloTensorEncoderOptions,
  compression: 'none' | 'zstd' | 'lz4',
): Promise<Uint8Array> {
  // Half of it is zeros, so that some fragments are compressed.
  const data = Float32Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : Math.sin(i * i)));
  const encoder = new HoloTensorEncoder('embedded', { fragments: 3, ...options });
  const { header, fragments } = encoder.encode(data, [10, 20]);
  const sink = memorySink();
  await new HoloTensorWriter(sink, { compression }).write(header, fragments);
  return sink.bytes;
}

async function isNoticed(bytes: Uint8Array): Promise<boolean> {
  try {
    await (await HoloTensorReader.open(bytesSource(bytes))).readAll();
    return false;
  } catch (error) {
    assert.instance(error, HolostreamError);
    return true;
  }
}

/** What docs/formats/holotensor.md says that nothing protects. */
function isUnprotected(bit: number, metadata: number): boolean {
  const index = (bit >> 3) - HOLO_HEADER_SIZE - metadata;
  if (index < 0) return bit >> 3 >= HOLO_HEADER_SIZE;
  const flags = [2, 3].indexOf(index % FRAGMENT_INDEX_ENTRY_SIZE);
  const isKnown = flags === 0 && ((1 << (bit & 7)) & (FRAGMENT_FLAG_ZSTD | FRAGMENT_FLAG_LZ4)) !== 0;
  return index < 3 * FRAGMENT_INDEX_ENTRY_SIZE && flags >= 0 && !isKnown;
}

for (const compression of ['none', 'zstd', 'lz4'] as const) {
  for (const quantization of [undefined, INT8_SCALE_1]) {
    const metadata = quantization === undefined ? 0 : 8;
    test(`${compression}, ${metadata} bytes of metadata: only the bits that the documentation names go unnoticed`, async () => {
      const file = await fileOf({ quantization }, compression);
      assert.is(await isNoticed(file), false);
      for (let bit = 0; bit < 8 * file.length; bit++) {
        const flipped = file.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        if (!isUnprotected(bit, metadata))
          assert.ok(await isNoticed(flipped), `bit ${bit} of ${file.length} bytes`);
      }
    });
  }
}

test.run();

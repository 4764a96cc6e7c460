import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { bytesSource } from '../../../sources/bytes.js';
import { loadDecodings } from '../../../src/encodings/decodings.js';
import { HoloTensorDecoder } from '../../../src/holotensor/decoder.js';
import type { ReceivedFragment } from '../../../src/holotensor/fragment.js';
import { FragmentReceiver } from '../../../src/holotensor/fragmentReceiver.js';
import { FragmentUnpacker } from '../../../src/holotensor/unpack.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { assertClose } from '../../helpers/assertions.js';
import { readReference } from '../../helpers/fixtures.js';
import { fixtureTensor, holoFixtures } from '../../helpers/holoFixtures.js';

await loadDecodings();

/** All fragments of a file that comes in chunks of `size` bytes. */
async function receive(bytes: Uint8Array, size: number): Promise<ReceivedFragment[]> {
  const receiver = new FragmentReceiver(new FragmentUnpacker(portableKernels));
  const received: ReceivedFragment[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for await (const fragment of receiver.push(bytes.subarray(at, at + size))) received.push(fragment);
  }
  for await (const fragment of receiver.flush()) received.push(fragment);
  return received;
}

for (const { file, decodes, shape } of (['spectral', 'rph', 'lrdf'] as const).flatMap(holoFixtures)) {
  const bytes = readReference(file);

  for (const [name, size] of [
    ['byte by byte', 1],
    ['in one piece', bytes.length],
  ] as const) {
    test(`${file}, ${name}: every listed subset gives the reference's tensor and fraction`, async () => {
      const received = await receive(bytes, size);
      for (const { fragments, expected, referenceQuality } of decodes) {
        const decoder = new HoloTensorDecoder(received[0]!.header);
        const fractions = fragments.map((index) => {
          assert.ok(decoder.addFragment(received[index]!));
          assert.not(decoder.addFragment(received[index]!), 'counts once');
          return decoder.quality.fraction;
        });
        assertClose(decoder.reconstruct(), fixtureTensor(expected));
        if (referenceQuality !== null) assertClose(fractions, referenceQuality, 1e-6);
        assert.is(decoder.fragments, fragments.length);
        assert.is(decoder.complete, fragments.length === decoder.total);
        assert.is(decoder.quality.cosine, undefined, 'the file has no norm');
      }
    });
  }

  test(`${file}: the same by random access`, async () => {
    const reader = await HoloTensorReader.open(bytesSource(bytes));
    for (const { fragments, expected } of decodes) {
      const reconstruction = await reader.readFragments(fragments.toReversed());
      assertClose(reconstruction.data as Float32Array, fixtureTensor(expected));
      assert.is(reconstruction.fragments, fragments.length);
      assert.equal(reconstruction.shape, shape);
    }
    const whole = await reader.readAll();
    assert.ok(whole.complete);
    assertClose(whole.data as Float32Array, fixtureTensor(decodes[0]!.expected));
  });
}

test.run();

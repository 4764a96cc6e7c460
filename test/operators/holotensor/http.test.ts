import { last, lastValueFrom } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromReadableStream } from '../../../operators/fromReadableStream.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  QualityLimiterStream,
  ReconstructionStream,
  reconstruct,
  takeUntilQuality,
} from '../../../operators/holotensor.js';
import { httpSource } from '../../../sources/http/httpSource.js';
import type { Reconstruction } from '../../../src/holotensor/reconstruction.js';
import { afterEach } from '../../helpers/afterEach.js';
import { type FaultyServer, faultyServer } from '../../helpers/faultyServer.js';
import { holoFile } from '../../helpers/holoFiles.js';
import { noise } from '../../helpers/random.js';
import { until } from '../../helpers/streams.js';

const test = suite<{ server: FaultyServer }>('HoloTensor over HTTP');

const QUALITY = 0.6;
const file = holoFile('spectral', noise(300 * 200), [300, 200]);
/** Header, index, and the three fragments of eight that a cosine of 0.6 takes. */
const needed = 96 + 8 * 24 + 3 * (20 + 4 * 7500);

test.before.each(async (context) => {
  context.server = await faultyServer(file);
  // Not a byte comes after those that are needed: who waits for more waits for ever.
  context.server.fault = () => ({ stallAfter: needed });
});
afterEach(test, async ({ server }) => {
  await server[Symbol.asyncDispose]();
});

const bytes = (server: FaultyServer) => httpSource(server.url, { retry: false }).stream();

const FACES: Record<string, (server: FaultyServer) => Promise<Reconstruction>> = {
  async streams(server) {
    const reader = bytes(server)
      .pipeThrough(new FragmentDecoderStream())
      .pipeThrough(new ReconstructionStream())
      .pipeThrough(new QualityLimiterStream(QUALITY))
      .getReader();
    for (let last: Reconstruction | undefined; ; ) {
      const { done, value } = await reader.read();
      if (done) return last!;
      last = value;
    }
  },
  operators: (server) =>
    lastValueFrom(
      fromReadableStream(bytes(server)).pipe(
        decodeFragments(),
        reconstruct(),
        takeUntilQuality(QUALITY),
        last(),
      ),
    ),
};

for (const [name, run] of Object.entries(FACES)) {
  test(`${name}: good enough as soon as its last byte is there, and then the request is ended`, async ({
    server,
  }) => {
    const { quality, fragments } = await run(server);
    assert.is(fragments, 3);
    assert.ok(quality.cosine! >= QUALITY);
    await until(() => server.active === 0);
    assert.is(server.active, 0);
    assert.is(server.requests.length, 1);
  });
}

test.run();

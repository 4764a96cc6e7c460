import { MessageChannel } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FragmentDecoderStream,
  HctCollectorStream,
  HctDecoderStream,
  HctDecompressionStream,
  HctEncoderStream,
  HctParserStream,
  HctVerificationStream,
  NpyEncoderStream,
  QualityLimiterStream,
  ReconstructionStream,
} from '../../operators/index.js';
import { throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { chunked, collect } from '../helpers/streams.js';

const test = suite('transferred stages');

const STAGES: Record<string, () => TransformStream> = {
  FragmentDecoderStream: () => new FragmentDecoderStream(),
  HctCollectorStream: () => new HctCollectorStream(),
  HctDecoderStream: () => new HctDecoderStream(),
  HctDecompressionStream: () => new HctDecompressionStream(),
  HctEncoderStream: () => new HctEncoderStream({ dtype: 'I8', shape: [1] }),
  HctParserStream: () => new HctParserStream(),
  HctVerificationStream: () => new HctVerificationStream(),
  NpyEncoderStream: () => new NpyEncoderStream('I8', [1]),
  QualityLimiterStream: () => new QualityLimiterStream(1),
  ReconstructionStream: () => new ReconstructionStream(),
};

test('a stage passes nothing on unchanged: neither structuredClone nor postMessage takes it', () => {
  const { port1, port2 } = new MessageChannel();
  for (const [name, make] of Object.entries(STAGES)) {
    const stage = make();
    throws(() => structuredClone(stage, { transfer: [stage as never] }), DOMException, /locked/);
    throws(() => port1.postMessage(stage, [stage as never]), DOMException, /locked/);
    throws(() => structuredClone(stage), Error);
    assert.not(stage.readable.locked || stage.writable.locked, name);
  }
  port1.close();
  port2.close();
});

test('its two ends can be transferred: the work stays where it was', async () => {
  const { bytes, raw } = hctFixtures[0]!;
  const { readable, writable } = new HctDecoderStream();
  const ends = structuredClone({ readable, writable }, { transfer: [readable, writable] as never });
  const piping = chunked(bytes, 100).pipeTo(ends.writable);
  assert.equal(concatBytes(await collect(ends.readable)), new Uint8Array(raw));
  await piping;
});

test.run();

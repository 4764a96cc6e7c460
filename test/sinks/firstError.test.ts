import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../models/file/stagingStore.js';
import { HctSink, HctWriter } from '../../sinks/hct.js';
import { HoloTensorWriter } from '../../sinks/holotensor.js';
import { sinkStream } from '../../sinks/streams.js';
import { bytesSource } from '../../sources/bytes.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import type { SeekableSink } from '../../src/source.js';
import { rejects } from '../helpers/assertions.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { noise } from '../helpers/random.js';

const test = suite('the first error counts, also when a sink cannot be discarded');

const FULL = new Error('the disk is full');
const model = modelOf([{ name: 'w', dtype: 'F32', shape: [80, 80] }]);
const tensor = { dtype: 'F32', shape: [80, 80] } as const;

/** Its `abort` throws, as one of the caller's may. */
function brokenSink(): SeekableSink & { aborts: number } {
  return {
    aborts: 0,
    write: async () => {
      throw FULL;
    },
    close: async () => {
      throw FULL;
    },
    abort() {
      this.aborts += 1;
      throw new Error('it cannot be discarded either');
    },
  };
}

const WRITERS: Readonly<Record<string, (sink: SeekableSink) => Promise<unknown>>> = {
  sinkStream: (sink) => bytesSource(model).stream().pipeTo(sinkStream(sink)),
  HctSink: (sink) => bytesSource(new Uint8Array(25_600)).stream().pipeTo(new HctSink(sink, tensor)),
  async HctWriter(sink) {
    const writer = new HctWriter(sink, tensor);
    await writer.write(new Uint8Array(25_600));
    await writer.close();
  },
  HoloTensorWriter(sink) {
    const { header, fragments } = new HoloTensorEncoder('embedded').encode(noise(6400), [80, 80]);
    return new HoloTensorWriter(sink).write(header, fragments);
  },
  encodeModel: (sink) => encodeModel(bytesSource(model), async () => sink),
  encodeModelFile: (sink) =>
    encodeModelFile([{ name: 'w', source: bytesSource(model) }], sink, memoryStagingStore()),
  'the staging store of encodeModelFile': (sink) =>
    encodeModelFile([{ name: 'w', source: bytesSource(model) }], brokenSink(), {
      open: async () => undefined,
      create: async () => sink,
    }),
  decodeModelFile: async (sink) => decodeModelFile(bytesSource(await modelFileOf(model)), async () => sink),
};

for (const [name, write] of Object.entries(WRITERS)) {
  test(name, async () => {
    const sink = brokenSink();
    assert.is(await rejects(write(sink), Error), FULL);
    assert.is(sink.aborts, 1);
  });
}

test.run();

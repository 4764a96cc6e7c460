import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { modelFolder, modelFolderSink } from '../../models/directory/modelFolder.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { openModel } from '../../models/openModel.js';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import {
  collectHct,
  decodeHct,
  HctCollectorStream,
  HctDecoderStream,
  HctParserStream,
} from '../../operators/hct.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  ReconstructionStream,
  reconstruct,
} from '../../operators/holotensor.js';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { readSafetensors, readSafetensorsHeader } from '../../readers/safetensors.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { collectTensor } from '../../sinks/tensor.js';
import { bytesSource } from '../../sources/bytes.js';
import type { Limits } from '../../src/checks/limits.js';
import { loadDecodings } from '../../src/encodings/decodings.js';
import { LimitError } from '../../src/errors.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { noise } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';

/** Each way into each format takes `limits`, holds to the entries that its format can break, and names them. */
const test = suite('limits, everywhere');

await loadDecodings();

const shape = [60, 100];
const BYTES = 24_000;
const data = noise(6000);

const sink = memorySink();
const writer = new HctWriter(sink, { dtype: 'F32', shape, name: 'w', blockSize: 8000 });
await writer.write(viewBytes(data));
await writer.close();
const hct = sink.bytes;

const { header, fragments } = new HoloTensorEncoder('embedded', { fragments: 3 }).encode(data, shape);
const holo = concatBytes(packHoloTensor(header, fragments, { kernels: portableKernels }));

const plain = modelOf(
  [
    { name: 'w', dtype: 'F32', shape },
    { name: 'b', dtype: 'F32', shape: [100] },
  ],
  new Map(),
  (_, byteLength) => viewBytes(data).subarray(0, byteLength),
);
const modelFile = await modelFileOf(plain, { encode: { encoding: 'embedded', fragments: 3 } });

const folder = temporaryFolder();
const directory = await modelFolderSink(join(folder, 'm'));
await encodeModel(bytesSource(plain), directory.openFile);
await directory.close();
const index = join(folder, 'model.safetensors.index.json');
writeFileSync(join(folder, 'model-1.safetensors'), plain);
const places = { w: 'model-1.safetensors', b: 'model-1.safetensors' };
writeFileSync(index, JSON.stringify({ weight_map: places }));

type Way = (limits: Limits) => Promise<unknown>;

const HCT: Limits = { headerBytes: 47 };
const WHOLE_HCT: Limits = { ...HCT, tensorBytes: BYTES - 1, rank: 1 };
const HOLO: Limits = { headerBytes: 71, fragments: 2 };
const WHOLE_HOLO: Limits = { ...HOLO, tensorBytes: BYTES - 1 };
const SAFETENSORS: Limits = { headerBytes: 100, tensors: 1, rank: 1 };
const MODEL: Limits = { tensorBytes: BYTES - 1, totalBytes: BYTES + 399 };

const load = (input: string | Uint8Array) => async (limits: Limits) => {
  await using model = await openModel(input, { limits });
  await model.load();
};

/** The entries that a way must hold to, each with a value that its file exceeds by one, or a little. */
const WAYS: Readonly<Record<string, readonly [way: Way, entries: Limits]>> = {
  'HctReader, all': [
    async (limits) => (await HctReader.open(bytesSource(hct), { limits })).readAll(),
    WHOLE_HCT,
  ],
  'HctReader, block': [
    async (limits) => (await HctReader.open(bytesSource(hct), { limits })).readRows(0, 1),
    { ...HCT, tensorBytes: 7999, rank: 1 },
  ],
  collectTensor: [(limits) => collectTensor(hct, { limits }), WHOLE_HCT],
  HctCollectorStream: [
    (limits) => collect(chunked(hct, 1000).pipeThrough(new HctCollectorStream({ limits }))),
    WHOLE_HCT,
  ],
  HctDecoderStream: [
    (limits) => collect(chunked(hct, 1000).pipeThrough(new HctDecoderStream({ limits }))),
    { ...HCT, tensorBytes: 7999 },
  ],
  HctParserStream: [
    (limits) => collect(chunked(hct, 1000).pipeThrough(new HctParserStream({ limits }))),
    { ...HCT, tensorBytes: 7999, rank: 1 },
  ],
  collectHct: [
    (limits) => lastValueFrom(fromReadableStream(chunked(hct, 1000)).pipe(collectHct({ limits }))),
    WHOLE_HCT,
  ],
  decodeHct: [
    (limits) => lastValueFrom(fromReadableStream(chunked(hct, 1000)).pipe(decodeHct({ limits }))),
    { ...HCT, tensorBytes: 7999 },
  ],
  'HoloTensorReader, all': [
    async (limits) => (await HoloTensorReader.open(bytesSource(holo), { limits })).readAll(),
    { ...WHOLE_HOLO, totalBytes: 1000 },
  ],
  'HoloTensorReader, fragments': [
    async (limits) => (await HoloTensorReader.open(bytesSource(holo), { limits })).readFragments([0]),
    WHOLE_HOLO,
  ],
  'HoloTensorReader, quality': [
    async (limits) => (await HoloTensorReader.open(bytesSource(holo), { limits })).readToQuality(0.1),
    WHOLE_HOLO,
  ],
  HoloTensorDecoder: [
    async (limits) => new HoloTensorDecoder(header, { limits }).reconstruct(),
    { tensorBytes: BYTES - 1 },
  ],
  'streams of fragments': [
    (limits) =>
      collect(
        chunked(holo, 1000)
          .pipeThrough(new FragmentDecoderStream({ limits }))
          .pipeThrough(new ReconstructionStream({ limits })),
      ),
    WHOLE_HOLO,
  ],
  'operators of fragments': [
    (limits) =>
      lastValueFrom(
        fromReadableStream(chunked(holo, 1000)).pipe(decodeFragments({ limits }), reconstruct({ limits })),
      ),
    WHOLE_HOLO,
  ],
  readSafetensorsHeader: [
    async (limits) => readSafetensorsHeader(bytesSource(plain), { limits }),
    SAFETENSORS,
  ],
  readSafetensors: [
    async (limits) => readSafetensors(bytesSource(plain), { limits }),
    { ...SAFETENSORS, ...MODEL },
  ],
  'model of safetensors': [load(plain), { ...SAFETENSORS, ...MODEL }],
  'model file': [load(modelFile), { ...SAFETENSORS, ...MODEL, fragments: 2 }],
  'model directory': [load(join(folder, 'm')), { ...MODEL, manifestBytes: 200, tensors: 1, rank: 1 }],
  shards: [load(index), { ...SAFETENSORS, ...MODEL, manifestBytes: 40 }],
  decodeModelFile: [
    (limits) => decodeModelFile(bytesSource(modelFile), async () => memorySink(), { limits }),
    { ...SAFETENSORS, tensorBytes: BYTES - 1, fragments: 2 },
  ],
  ModelReader: [
    async (limits) => (await ModelReader.open(modelFolder(join(folder, 'm')), { limits })).read('w'),
    { tensorBytes: BYTES - 1, manifestBytes: 200, tensors: 1, rank: 1 },
  ],
  'ModelReader, for one call': [
    async (limits) => (await ModelReader.open(modelFolder(join(folder, 'm')))).read('w', { limits }),
    { tensorBytes: BYTES - 1 },
  ],
  'model.load, for one call': [
    async (limits) => {
      await using model = await openModel(plain);
      await model.load({ limits });
    },
    MODEL,
  ],
};

for (const [name, [way, entries]] of Object.entries(WAYS)) {
  test(name, async () => {
    await way({});
    for (const [entry, value] of Object.entries(entries)) {
      const error = await rejects(
        way({ [entry]: value }),
        LimitError,
        new RegExp(`option limits\\.${entry}\\)`),
      );
      assert.is(error.expected, `at most ${value}`);
    }
  });
}

test.run();

/** What the sizes are counted of: a program for each task, the file that it reads, and the most that it may load. */
import { encodeModelFile } from '../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../models/file/stagingStore.js';
import { HctWriter } from '../sinks/hct.js';
import { HoloTensorWriter } from '../sinks/holotensor.js';
import { memorySink } from '../sinks/memory.js';
import { SafetensorsWriter } from '../sinks/safetensors.js';
import { bytesSource } from '../sources/bytes.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';

export interface Task {
  readonly name: string;
  /** Kilobytes. */
  readonly limit: number;
  /** What `holostream` is imported for. */
  readonly names: string;
  /** The body of an asynchronous function that reads the file at `url` and returns how many values it has found. */
  readonly body: string;
  readonly file: Uint8Array;
  /** A model's progress is an observable of RxJS. */
  readonly rxjs?: boolean;
}

const SHAPE = [96, 64] as const;
/** Of the tensor in each file. */
export const VALUES = SHAPE[0] * SHAPE[1];
const RANDOM = new SeededRng(1n);
const DATA = Float32Array.from({ length: VALUES }, () => 0.02 * RANDOM.nextNormal());
const BYTES = new Uint8Array(DATA.buffer);

/** A source of the page's own: what reading costs, without what fetching does. */
const OWN_SOURCE = `
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const source = { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };`;

const HCT_FILE = await hctFile();
const HOLOTENSOR_FILE = await holoTensorFile();

export const TASKS: readonly Task[] = [
  {
    name: 'HCT file (Zstd), own source',
    limit: 22.9,
    names: 'HctReader',
    body: `${OWN_SOURCE}
      return (await (await HctReader.open(source)).readAll()).data.length;`,
    file: HCT_FILE,
  },
  {
    name: 'HCT file (Zstd), httpSource',
    limit: 30.3,
    names: 'HctReader, httpSource',
    body: 'return (await (await HctReader.open(httpSource(url))).readAll()).data.length;',
    file: HCT_FILE,
  },
  {
    name: 'HCT file (Zstd), stream',
    limit: 25.2,
    names: 'HctCollectorStream',
    body: `
      const response = await fetch(url);
      for await (const { data } of response.body.pipeThrough(new HctCollectorStream())) return data.length;`,
    file: HCT_FILE,
  },
  {
    name: 'embedded HoloTensor, own source',
    limit: 36.2,
    names: 'HoloTensorReader',
    body: `${OWN_SOURCE}
      return (await (await HoloTensorReader.open(source)).readAll()).data.length;`,
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'embedded HoloTensor, httpSource',
    limit: 43.6,
    names: 'HoloTensorReader, httpSource',
    body: 'return (await (await HoloTensorReader.open(httpSource(url))).readAll()).data.length;',
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'embedded HoloTensor, stream',
    limit: 38.7,
    names: 'FragmentDecoderStream, ReconstructionStream',
    body: `
      const fragments = (await fetch(url)).body.pipeThrough(new FragmentDecoderStream());
      let last;
      for await (const tensor of fragments.pipeThrough(new ReconstructionStream())) last = tensor;
      return last.complete ? last.data.length : 0;`,
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'model file, opened and loaded',
    // The aim.
    limit: 60,
    names: 'openModel',
    body: `
      const model = await openModel(url);
      const { data } = (await model.load()).get('weight');
      await model.close();
      return data.length;`,
    file: await modelFile(),
    rxjs: true,
  },
];

/** In one file: `openModel` with all that it can come to need, and that of `holostream/lean`. */
export const ONE_FILE = [
  { name: 'openModel in one file', limit: 144.6, code: "export { openModel } from 'holostream';" },
  { name: 'the same of holostream/lean', limit: 68, code: "export { openModel } from 'holostream/lean';" },
];

async function hctFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape: SHAPE, algorithm: 'zstd' });
  await writer.write(BYTES);
  await writer.close();
  return sink.bytes;
}

async function holoTensorFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const { header, fragments } = new HoloTensorEncoder('embedded', { fragments: 4 }).encode(DATA, SHAPE);
  await new HoloTensorWriter(sink).write(header, fragments);
  return sink.bytes;
}

async function modelFile(): Promise<Uint8Array> {
  const source = memorySink();
  const writer = await SafetensorsWriter.open(source, [
    { name: 'weight', dtype: 'F32', shape: SHAPE },
    { name: 'bias', dtype: 'F32', shape: [SHAPE[1]] },
  ]);
  await writer.write('weight', BYTES);
  await writer.write('bias', BYTES.subarray(0, 4 * SHAPE[1]));
  await writer.close();
  const sink = memorySink();
  const files = [{ name: 'model.safetensors', source: bytesSource(source.bytes) }];
  await encodeModelFile(files, sink, memoryStagingStore());
  return sink.bytes;
}

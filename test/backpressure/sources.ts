import { writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFeeds, loadSessions } from '../../adapters/onnxruntime.js';
import { loadWeights } from '../../adapters/tfjs.js';
import * as main from '../../index.js';
import type { Model } from '../../models/model.js';
import * as node from '../../node.js';
import * as sources from '../../sources/index.js';
import { temporaryFolder } from '../helpers/cli.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { npyOf } from '../helpers/npyFiles.js';
import { noise, pseudoRandomBytes } from '../helpers/random.js';
import { collect } from '../helpers/streams.js';
import { aheadOfStream, type Case, counted, Gauge } from './measure.js';

/** What gives bytes: sources, and what reads from one. */

const CHUNK = 2 ** 14;
/** What sources that can read anywhere read at a time. */
const READ = 2 ** 16;
/** Blocks of HCT that are read together. */
const RUN = 2 ** 20;
const BYTES = pseudoRandomBytes(2 ** 22);

export const SOURCE_CASES: readonly Case[] = [
  { of: 'bytesSource', bound: READ, peak: aheadInMemory },
  source('blobSource', READ, (gauge) => sources.blobSource(new CountedBlob(gauge))),
  { of: 'fileSource', bound: READ, peak: aheadInFile },
  source('httpSource', CHUNK, server),
  { ...source('httpSource', CHUNK, (gauge) => server(gauge, false)), how: 'a server without ranges' },
  source('streamSource', CHUNK, (gauge) => sources.streamSource(chunks(gauge))),
  source('withRetry', CHUNK, (gauge) => sources.withRetry(origin(gauge))),
  source('withCoalescing', CHUNK, (gauge) => sources.withCoalescing(origin(gauge))),
  source('withFailover', CHUNK, (gauge) => sources.withFailover([origin(gauge), origin(new Gauge())])),
  source('withCache', CHUNK, cached),
  { ...source('withCache', CHUNK, (gauge) => cachedInFolder(gauge)), how: 'a folder' },
  { of: 'NpyReader#stream', bound: 2 * READ, peak: aheadOfArray },
  { of: 'ModelReader#chunks', bound: RUN, peak: aheadOfTensor },
  { of: 'Model#updatesStream', bound: 0, peak: queuedUpdates },
  { of: 'Model#progressStream', bound: 0, peak: queuedProgress },
  { of: 'Model#snapshots', bound: 0, peak: queuedSnapshots },
  { of: 'loadFeeds', bound: 0, peak: queuedFeeds },
  { of: 'loadWeights', bound: 0, peak: queuedWeights },
  { of: 'loadSessions', bound: 0, peak: queuedSessions },
];

function source(
  name: string,
  bound: number,
  make: (gauge: Gauge) => sources.ByteSource | Promise<sources.ByteSource>,
): Case {
  const peak = async () => {
    const gauge = new Gauge();
    return aheadOfStream((await make(gauge)).stream(), gauge);
  };
  return { of: name, bound, peak };
}

function chunks(gauge: Gauge, bytes: Uint8Array = BYTES): ReadableStream<Uint8Array> {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) all.push(bytes.slice(at, at + CHUNK));
  return counted(all, ({ length }) => length, gauge);
}

/** A source that counts what it gives, in chunks of CHUNK bytes. */
function origin(gauge: Gauge, bytes: Uint8Array = BYTES): sources.RandomAccessSource {
  return {
    id: 'origin',
    size: bytes.length,
    version: async () => 'version',
    stream: ({ start = 0, end = bytes.length } = {}) => chunks(gauge, bytes.subarray(start, end)),
    read: async (offset, length) => {
      gauge.take(length);
      return bytes.slice(offset, offset + length);
    },
  };
}

/** What is read ahead does not see what is written to the memory meanwhile. */
async function aheadInMemory(): Promise<number> {
  const memory = BYTES.slice();
  const reader = sources.bytesSource(memory).stream().getReader();
  let ahead = 0;
  for (let mark = 1, at = 0; mark < 12; mark++) {
    memory.fill(mark, at);
    const { value } = await reader.read();
    at += value!.length;
    if (value!.some((byte) => byte !== mark)) ahead = memory.length;
    ahead = Math.max(ahead, value!.length);
  }
  await reader.cancel();
  return ahead;
}

class CountedBlob extends Blob {
  readonly #gauge: Gauge;

  constructor(gauge: Gauge) {
    super([BYTES]);
    this.#gauge = gauge;
  }

  override slice(start = 0, end = this.size): Blob {
    this.#gauge.take(end - start);
    return super.slice(start, end);
  }
}

/** Counts what is read from any file, by the method of all handles. */
async function aheadInFile(): Promise<number> {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, BYTES);
  const file = await node.fileSource(path);
  const handle = await open(path);
  const methods: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const { read } = methods;
  const gauge = new Gauge();
  methods.read = function (this: FileHandle, buffer: Uint8Array, offset: number, length: number, at: number) {
    gauge.take(length);
    return Reflect.apply(read, this, [buffer, offset, length, at]);
  } as FileHandle['read'];
  try {
    return await aheadOfStream(file.stream(), gauge);
  } finally {
    methods.read = read;
    await file.close();
  }
}

function server(gauge: Gauge, ranges = true): sources.RandomAccessSource {
  return sources.httpSource('http://example.org/w.bin', {
    fetch: async () => {
      const headers = { 'content-length': `${BYTES.length}`, 'accept-ranges': ranges ? 'bytes' : 'none' };
      return new Response(chunks(gauge) as BodyInit, { headers });
    },
  });
}

async function cached(gauge: Gauge, store = sources.memoryStore()): Promise<sources.RandomAccessSource> {
  return sources.withCache(origin(gauge), await sources.openCache(store));
}

async function cachedInFolder(gauge: Gauge): Promise<sources.RandomAccessSource> {
  return cached(gauge, await node.folderStore(join(temporaryFolder(), 'cache')));
}

async function aheadOfArray(): Promise<number> {
  const gauge = new Gauge();
  const file = npyOf('u1', [BYTES.length], BYTES);
  const reader = await main.NpyReader.open(origin(gauge, file));
  gauge.deliver(gauge.taken);
  const header = gauge.taken;
  return (await aheadOfStream(reader.stream(), gauge)) - header;
}

async function aheadOfTensor(): Promise<number> {
  const files = new Map<string, Uint8Array>();
  const model = modelOf([{ name: 'w', dtype: 'U8', shape: [BYTES.length] }], undefined, () => BYTES);
  await main.encodeModel(main.bytesSource(model), async (name) => {
    const sink = main.memorySink();
    return { ...sink, close: async () => void files.set(name, sink.bytes) };
  });
  const gauge = new Gauge();
  const reader = await main.ModelReader.open(async (name) =>
    origin(name.endsWith('.json') ? new Gauge() : gauge, files.get(name)!),
  );
  const chunks = reader.chunks(reader.manifest.tensors[0]!);
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await chunks.return(undefined)),
    },
    { highWaterMark: 0 },
  );
  return aheadOfStream(stream, gauge);
}

/** Bytes of updates that have waited for a reader who comes when all is loaded, beyond the last of each tensor. */
async function queuedUpdates(): Promise<number> {
  const model = await loaded();
  const tensors = new Map<string, number>();
  let all = 0;
  const updates = model.updatesStream();
  await model.load();
  await model.close();
  for await (const { name, data } of updates) {
    tensors.set(name, data.byteLength);
    all += data.byteLength;
  }
  return all - Array.from(tensors.values()).reduce((sum, size) => sum + size, 0);
}

/** The same of progress: states, of which the last alone is to come. */
async function queuedProgress(): Promise<number> {
  const model = await loaded();
  const states = model.progressStream();
  await model.load();
  await model.close();
  const all = await collect(states);
  return all.length - 1;
}

/** Snapshots for a reader who takes the first of some fragments, and the next when all is loaded, beyond that one. */
async function queuedSnapshots(): Promise<number> {
  const model = await loaded();
  const snapshots = model.snapshots({ minGain: 0 });
  const first = snapshots.next();
  await model.load({ quality: 0.5 });
  await first;
  await model.load({ quality: 0.9 });
  await model.load();
  let more = 0;
  for await (const _ of snapshots) more += 1;
  await model.close();
  return more - 1;
}

/** Steps for a consumer that takes the first, and the next when all is loaded, beyond that one. */
async function queuedSteps(model: Model, steps: AsyncGenerator<unknown>): Promise<number> {
  await steps.next();
  await model.load();
  let more = 0;
  for await (const _ of steps) more += 1;
  await model.close();
  return more - 1;
}

async function queuedFeeds(): Promise<number> {
  const model = await loaded();
  const session = { inputNames: ['a', 'b'] };
  return queuedSteps(model, loadFeeds(model, { ort: { Tensor: class {} }, session, minGain: 0 }));
}

async function queuedWeights(): Promise<number> {
  const model = await loaded();
  const weight = { shape: [64, 64], dtype: 'float32', write() {} };
  const network = { weights: ['a', 'b'].map((originalName) => ({ originalName, ...weight })) };
  const tf = { tensor: () => ({ dispose() {} }) };
  return queuedSteps(model, loadWeights(model, { tf, network, minGain: 0 }));
}

/** The session before is released. */
async function queuedSessions(): Promise<number> {
  const model = await loaded();
  let held = 0;
  const create = async () => {
    held += 1;
    const release = async () => {
      held -= 1;
    };
    return { release };
  };
  const ort = { InferenceSession: { create } };
  const more = await queuedSteps(model, loadSessions(model, { ort, graph: 'model.onnx', minGain: 0 }));
  return more + held - 1;
}

async function loaded(): Promise<Model> {
  const weights = (seed: number) => main.viewBytes(noise(64 * 64, seed));
  const tensors = ['a', 'b'].map((name) => ({ name, dtype: 'F32', shape: [64, 64] }) as const);
  const file = await modelFileOf(modelOf(tensors, undefined, (_, __, i) => weights(i + 1)));
  return main.openModel(main.bytesSource(file));
}

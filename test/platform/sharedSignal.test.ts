import { getEventListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as holostream from '../../index.js';
import * as node from '../../node.js';
import { withFailover } from '../../sources/index.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { faultyServer } from '../helpers/faultyServer.js';
import { holoFile } from '../helpers/holoFiles.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { noise } from '../helpers/random.js';
import { chunked } from '../helpers/streams.js';

const test = suite('one signal for everything');

/** Node warns from the eleventh listener on. */
const USES = 30;

const warnings: Error[] = [];
process.on('warning', (warning) => warnings.push(warning));

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const pool = new holostream.WorkerPool(2, {
  url: new URL('../helpers/workerFromSource.mjs', import.meta.url),
});
test.after(() => pool.close());

/** Large enough for workers. */
const values = noise(2 ** 17);
const elements = new Uint8Array(values.buffer);
const plain = modelOf([
  { name: 'a', dtype: 'F32', shape: [64, 80] },
  { name: 'b', dtype: 'U8', shape: [9] },
]);

async function hctFile(): Promise<Uint8Array> {
  const sink = holostream.memorySink();
  const writer = new holostream.HctWriter(sink, { dtype: 'F32', shape: [values.length] });
  await writer.write(elements);
  await writer.close();
  return sink.bytes;
}

/** Each asynchronous thing of the package that takes a signal, once. */
async function uses(
  url: string,
): Promise<Record<string, (signal: AbortSignal, i: number) => Promise<unknown>>> {
  const hct = await hctFile();
  const holo = holoFile('embedded', values, [values.length]);
  const model = await modelFileOf(plain);
  const directory = new Map<string, Uint8Array>();
  await holostream.encodeModel(holostream.bytesSource(plain), async (name) => {
    const sink = holostream.memorySink();
    return {
      ...sink,
      close: async () => {
        directory.set(name, sink.bytes);
      },
    };
  });
  const source = (bytes: Uint8Array) => holostream.streamSource(chunked(bytes, 5000));
  const openFile = (name: string) => holostream.bytesSource(directory.get(name)!);
  const cache = holostream.openCache(holostream.memoryStore());
  writeFileSync(at('w.hct'), hct);
  writeFileSync(at('w.holo'), holo);
  writeFileSync(at('w.raw'), elements);
  const file = await node.fileSource(at('w.hct'));
  test.after(() => file.close());
  const sunk = { write: async () => {}, close: async () => {}, abort: async () => {} };
  const shape = [values.length];
  return {
    'http source': (signal) => holostream.httpSource(url).read(0, 100, { signal }),
    'http source, closed by it': (signal) => holostream.httpSource(url, { signal }).read(0, 100),
    cache: (signal) => holostream.withCache(holostream.httpSource(url), cache).read(0, 100, { signal }),
    failover: (signal) =>
      withFailover([holostream.httpSource(url), holostream.httpSource(url)]).read(0, 100, { signal }),
    'file source': (signal) => file.read(0, 100, { signal }),
    'blob source': (signal) =>
      holostream.blobSource(new Blob([hct as holostream.OwnBytes])).read(0, 100, { signal }),
    'stream source': (signal) => new Response(source(hct).stream({ signal })).arrayBuffer(),
    collectTensor: (signal) => holostream.collectTensor(chunked(hct, 5000), { signal }),
    HctReader: async (signal) =>
      (await holostream.HctReader.open(holostream.bytesSource(hct), { signal })).readAll({ signal }),
    'HctReader, workers': async (signal) =>
      (await holostream.HctReader.open(file, { signal, workers: pool })).readAll({ signal }),
    HoloTensorReader: async (signal) =>
      (await holostream.HoloTensorReader.open(holostream.bytesSource(holo), { signal })).readAll({ signal }),
    'HoloTensorReader, workers': async (signal) => {
      const opened = holostream.HoloTensorReader.open(holostream.bytesSource(holo), {
        signal,
        workers: pool,
      });
      return (await opened).readAll({ signal });
    },
    HctWriter: async (signal) => {
      const writer = new holostream.HctWriter(sunk, { dtype: 'F32', shape, signal });
      await writer.write(elements);
      await writer.close();
    },
    readSafetensors: (signal) => holostream.readSafetensors(holostream.bytesSource(plain), { signal }),
    model: async (signal) => {
      await using opened = await holostream.openModel(holostream.bytesSource(model), { signal });
      await opened.load({ signal, workers: pool });
    },
    'rows of a model': async (signal) => {
      await using opened = await holostream.openModel(holostream.bytesSource(plain), { signal });
      await opened.rows('a', 3, 5, { signal });
    },
    'model directory': async (signal) =>
      (await holostream.ModelReader.open(openFile, { signal })).read('a', { signal }),
    encodeModel: (signal) =>
      holostream.encodeModel(holostream.bytesSource(plain), async () => sunk, { signal }),
    encodeModelFile: (signal) =>
      holostream.encodeModelFile(
        [{ name: 'm', source: holostream.bytesSource(plain) }],
        sunk,
        holostream.memoryStagingStore(),
        { signal },
      ),
    decodeModelFile: (signal) =>
      holostream.decodeModelFile(holostream.bytesSource(model), async () => sunk, { signal }),
    compressFile: (signal, i) =>
      node.compressFile(at('w.raw'), at(`${i}.hct`), { dtype: 'F32', shape, signal }),
    decompressFile: (signal, i) => node.decompressFile(at('w.hct'), at(`${i}.raw`), { signal }),
    encodeToFile: (signal, i) =>
      node.encodeToFile(
        at(`${i}.holo`),
        { dtype: 'F32', shape: [64], data: values.subarray(0, 64) },
        'spectral',
        {
          signal,
        },
      ),
    decodeFromFile: (signal) => node.decodeFromFile(at('w.holo'), { signal }),
    'a task of workers': (signal) => pool.run('decodeBlockRun', {} as never, { signal }).catch(() => {}),
  };
}

test('many uses of each at the same time: no warning, one listener, and none of them fails', async () => {
  await using server = await faultyServer(new Uint8Array(1000));
  server.etag = '"1"';
  const { signal } = new AbortController();
  for (const [name, use] of Object.entries(await uses(server.url))) {
    const running = Array.from({ length: USES }, (_, i) => use(signal, i));
    const outcomes = await Promise.allSettled(running);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.unreachable(`${name}: ${outcome.reason}`);
    }
    assert.ok(getEventListeners(signal, 'abort').length <= 1, name);
    assert.equal(
      warnings.map(({ message }) => message),
      [],
      name,
    );
  }
});

test('commands that read and write many tensors, and many files, say no warning', async () => {
  const shards = at('shards');
  mkdirSync(shards);
  const map: Record<string, string> = {};
  for (let shard = 0; shard < 25; shard++) {
    const names = [0, 1, 2].map((i) => `t${shard}.${i}`);
    const file = `model-${shard}.safetensors`;
    for (const name of names) map[name] = file;
    writeFileSync(
      join(shards, file),
      modelOf(names.map((name) => ({ name, dtype: 'F32' as const, shape: [64, 65] }))),
    );
  }
  const index = join(shards, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ weight_map: map }));
  const model = at('model.holo.safetensors');
  for (const args of [
    ['encode', index, '-o', model],
    ['verify', model],
    ['inspect', model],
    ['decode', model, '-o', `${at('back')}/`],
    ['encode', join(shards, 'model-0.safetensors'), '-o', `${at('directory')}/`],
    ['verify', at('directory')],
  ]) {
    const { code, stderr } = await runCli(args);
    assert.equal([code, stderr], [0, ''], args.join(' '));
  }
});

test.run();

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { lastValueFrom, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  HctParser,
  parseFragmentIndexEntry,
  parseHctHeader,
  parseHoloTensorHeader,
  parseNpyHeader,
  parseQuantizationMetadata,
  parseSafetensorsHeader,
  readSafetensorsHeader,
  safetensorsHeaderSize,
  xxh3,
} from '../../formats.js';
import {
  type BytesLike,
  bytesSource,
  collectHct,
  collectTensor,
  decodeHct,
  fromReadableStream,
  HctDecoderStream,
  HctReader,
  HctWriter,
  HoloTensorReader,
  memorySink,
  openModel,
  readSafetensors,
  SafetensorsWriter,
  type SourceInput,
  sinkStream,
  streamSink,
  streamSource,
  viewBytes,
  viewElements,
} from '../../index.js';
import { KeptBytes } from '../../sources/kept.js';
import { isShared } from '../../src/bytes/sharedMemory.js';
import { ArgumentError, FormatError, LimitError, SourceError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { readReference } from '../helpers/fixtures.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { inMemory, inOrder } from '../helpers/inputs.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { npyOf } from '../helpers/npyFiles.js';
import { openFiles } from '../helpers/openFiles.js';
import { safetensorsOf } from '../helpers/safetensors.js';
import { chunked, collect, streamOf, tick } from '../helpers/streams.js';

const test = suite('what bytes are read from');

const hct = hctFixtures.find(({ file }) => file.includes('v2-lz4-bf16-2d'))!;
const holo = readReference('holo/lrdf-lowrank.holo');
const values = Float32Array.from({ length: 64 }, (_, i) => i / 8);
const safetensors = concatBytes([
  safetensorsOf('{"w":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}} '.padEnd(64)),
  viewBytes(values),
]);

/** What opens a file, the file, and what tells that it was read. */
const OPENERS: Record<
  string,
  { file: Uint8Array<ArrayBuffer>; open: (input: SourceInput) => Promise<unknown>; close?: boolean }
> = {
  'HctReader.open': {
    file: new Uint8Array(hct.bytes),
    async open(input) {
      const reader = await HctReader.open(input);
      const { data } = await reader.readAll();
      await reader.close();
      return viewBytes(data);
    },
  },
  'HoloTensorReader.open': {
    file: new Uint8Array(holo),
    async open(input) {
      const reader = await HoloTensorReader.open(input);
      const { data } = await reader.readAll();
      await reader.close();
      return data;
    },
  },
  readSafetensors: {
    file: safetensors,
    open: async (input) => (await readSafetensors(input)).get('w')!.data,
  },
  readSafetensorsHeader: {
    file: safetensors,
    open: async (input) => (await readSafetensorsHeader(input)).tensors,
  },
  openModel: {
    file: safetensors,
    async open(input) {
      const model = await openModel(input);
      const { data } = await model.tensor('w');
      await model.close();
      return data;
    },
  },
};

let folder: string;
let server: FaultyServer;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-inputs-'));
  server = await faultyServer(safetensors);
});
test.after(async () => {
  await rm(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

for (const [name, { file, open }] of Object.entries(OPENERS)) {
  test(`${name}: bytes in memory of any kind and realm`, async () => {
    const expected = await open(bytesSource(file));
    for (const [kind, bytes] of Object.entries(inMemory(file))) {
      assert.equal(await open(bytes), expected, kind);
      assert.equal(await open(bytesSource(bytes)), expected, `bytesSource of ${kind}`);
    }
  });

  test(`${name}: all that gives bytes in order`, async () => {
    const expected = await open(bytesSource(file));
    for (const [kind, make] of Object.entries(inOrder(file))) {
      assert.equal(await open(make()), expected, kind);
      assert.equal(await open(streamSource(make())), expected, `streamSource of ${kind}`);
    }
  });

  test(`${name}: paths and URLs; what was opened is closed`, async () => {
    const expected = await open(bytesSource(file));
    for (const fileName of ['a b#c?d%20.bin', 'http:', 'c:d']) {
      const path = join(folder, fileName);
      await writeFile(path, file);
      for (const input of [
        path,
        pathToFileURL(path),
        pathToFileURL(path).href,
        foreignUrl(pathToFileURL(path)),
      ]) {
        assert.equal(await open(input), expected, String(input));
        assert.is(openFiles(path), 0);
      }
      await writeFile(path, 'something else');
      await rejects(Promise.resolve(open(path)), FormatError);
      assert.is(openFiles(path), 0, 'also when it is another file');
    }
    server.bytes = file;
    for (const input of [server.url, new URL(server.url), server.url.replace('http', 'HTTP')]) {
      assert.equal(await open(input), expected, String(input));
    }
    await rejects(open(join(folder, 'none')), SourceError, /Cannot open file.*none/);
    await rejects(open('ftp://localhost/a'), SourceError);
    await rejects(open('file://elsewhere/a'), ArgumentError, /Cannot open the file of this URL/);
  });

  test(`${name}: anything else is refused, and said what it is`, async () => {
    const promise = Promise.resolve(bytesSource(file));
    await rejects(
      open(promise as never),
      ArgumentError,
      /a source, such as .*, bytes or a stream, got a Promise$/,
    );
    await rejects(open({} as never), ArgumentError, /, got an object$/);
    await rejects(open(7 as never), ArgumentError, /, got 7$/);
    await rejects(open(null as never), SourceError, /has no body/);
    await rejects(open(undefined as never), ArgumentError, /expected a source, .*got nothing$/);
    await rejects(
      open(['text'] as never),
      ArgumentError,
      /bytes from this value: expected a Uint8Array.*, got text$/,
    );
    await rejects(open([[1, 2]] as never), ArgumentError, /bytes from this value.*, got \[1, 2\]$/);
    await rejects(open(new Response('no', { status: 404 })), SourceError, /status 404/);
    const locked = chunked(file, 10);
    locked.getReader();
    await rejects(open(locked), ArgumentError, /another reader or pipe has it/);
  });
}

/** As the `URL` of a test environment: no instance of ours. */
function foreignUrl({ href }: URL): URL {
  return runInNewContext(
    'class URL { get [Symbol.toStringTag]() { return "URL"; } toString() { return this.href; } }; Object.assign(new URL(), { href })',
    { href },
  );
}

const STREAM_TAKERS: Record<string, (input: never) => Promise<unknown>> = {
  collectTensor: async (input) => viewBytes((await collectTensor(input)).data),
  fromReadableStream: async (input) =>
    concatBytes(await lastValueFrom(fromReadableStream(input as Response).pipe(decodeHct(), toArray()))),
  streamSource: async (input) =>
    concatBytes(await collect(streamSource(input).stream().pipeThrough(new HctDecoderStream()))),
};

for (const [name, take] of Object.entries(STREAM_TAKERS)) {
  test(`${name}: takes the same`, async () => {
    const expected = new Uint8Array(hct.raw);
    const file = new Uint8Array(hct.bytes);
    const all = { ...inMemory(file), 'a source': bytesSource(file) };
    for (const [kind, input] of Object.entries(all)) assert.equal(await take(input as never), expected, kind);
    for (const [kind, make] of Object.entries(inOrder(file)))
      assert.equal(await take(make() as never), expected, kind);
  });
}

test('chunks of any kind: stages, parsers, writers and sinks', async () => {
  const file = new Uint8Array(hct.bytes);
  const raw = new Uint8Array(hct.raw);
  for (const [kind, bytes] of Object.entries(inMemory(file))) {
    const tensor = await lastValueFrom(fromReadableStream(streamOf(bytes)).pipe(collectHct()));
    assert.equal(viewBytes(tensor.data), raw, kind);
    const decoded = await collect(streamOf(bytes).pipeThrough(new HctDecoderStream()));
    assert.equal(concatBytes(decoded), raw, kind);
    const parser = new HctParser();
    assert.equal([...parser.push(bytes)].length, [...new HctParser().push(file)].length, kind);
  }
  for (const [kind, bytes] of Object.entries(inMemory(raw.slice(0, raw.length - (raw.length % 8))))) {
    const length = bytes.byteLength;
    const expected = raw.subarray(0, length);
    const written = memorySink();
    const writer = new HctWriter(written, { dtype: 'I8', shape: [length] });
    await writer.write(bytes);
    await writer.close();
    assert.equal(viewBytes((await collectTensor(written.bytes)).data), expected, kind);
    const tensors = memorySink();
    const file = await SafetensorsWriter.open(tensors, [{ name: 'w', dtype: 'U8', shape: [length] }]);
    await file.write('w', bytes);
    await file.close();
    assert.equal((await readSafetensors(tensors.bytes)).get('w')!.data, expected, kind);
    const memory = memorySink();
    await memory.write(bytes as never, 0);
    assert.equal(memory.bytes, expected, kind);
    const piped = memorySink();
    await streamOf<BytesLike>(bytes, bytes).pipeTo(sinkStream(piped));
    assert.equal(piped.bytes, concatBytes([expected, expected]), kind);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const stream = streamSink(writable);
    const collected = collect(readable);
    await stream.write(bytes as never, 0);
    await stream.write(bytes as never, length);
    await stream.close();
    assert.equal(concatBytes(await collected), concatBytes([expected, expected]), kind);
  }
});

test('parsers of headers and the like take all kinds, too', () => {
  const hctFile = new Uint8Array(hct.bytes);
  const pad = (bytes: Uint8Array) => concatBytes([bytes, new Uint8Array((8 - (bytes.length % 8)) % 8)]);
  const cases: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [pad(hctFile), (bytes) => parseHctHeader(bytes).shape],
    [new Uint8Array(holo), (bytes) => parseHoloTensorHeader(bytes).shape],
    [safetensors, (bytes) => parseSafetensorsHeader(bytes).tensors],
    [safetensors, (bytes) => safetensorsHeaderSize(bytes)],
    [pad(npyOf('f4', [3], new Uint8Array(12))), (bytes) => parseNpyHeader(bytes).shape],
    [pad(hctFile), (bytes) => xxh3(bytes)],
    [viewBytes(values), (bytes) => viewElements('F32', bytes)],
    [new Uint8Array(24).fill(1), (bytes) => parseFragmentIndexEntry(bytes)],
    [new Uint8Array(16), (bytes) => parseQuantizationMetadata(bytes)],
  ];
  for (const [bytes, parse] of cases) {
    const expected = parse(bytes);
    for (const [kind, same] of Object.entries(inMemory(bytes))) {
      assert.equal(parse(same as never), expected, `${kind}: ${parse}`);
    }
    throws(() => parse('text' as never), ArgumentError, /Cannot read bytes from this value/);
  }
});

test('a function that gives the files of a folder as anything that bytes come from', async () => {
  const shards = Object.fromEntries(
    ['a', 'b'].map((name) => [
      `${name}.safetensors`,
      concatBytes([
        safetensorsOf(`{"${name}":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}`),
        viewBytes(values),
      ]),
    ]),
  );
  const map = { a: 'a.safetensors', b: 'b.safetensors' };
  const index = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
  const files: Record<string, Uint8Array<ArrayBuffer>> = { ...shards, 'model.safetensors.index.json': index };
  const asked: string[] = [];
  for (const form of ['File', 'ArrayBuffer', 'Response'] as const) {
    const model = await openModel((name) => {
      asked.push(name);
      const bytes = files[name];
      if (bytes === undefined) return undefined;
      return form === 'File'
        ? new File([bytes], name)
        : form === 'Response'
          ? new Response(bytes)
          : bytes.buffer;
    });
    const loaded = await model.load();
    assert.equal([...loaded.keys()].sort(), ['a', 'b'], form);
    assert.equal(loaded.get('b')!.data, values);
    await model.close();
  }
  assert.is(asked[0], 'manifest.json');
  await rejects(
    openModel(() => undefined),
    SourceError,
    /Cannot find a model in the folder/,
  );
});

test('shared memory of another realm is known as shared, so that it is not transferred', () => {
  const bytes = new Uint8Array(hct.bytes);
  const Foreign = runInNewContext('SharedArrayBuffer') as typeof SharedArrayBuffer;
  const memory = new Uint8Array(new Foreign(bytes.length));
  memory.set(bytes);
  assert.ok(isShared(memory.buffer));
  assert.not(isShared(bytes.buffer));
});

test('chunks that are no bytes are refused, by all', async () => {
  const got = /expected a Uint8Array, another typed array or an ArrayBuffer, got /;
  for (const chunk of ['text', 7, [1, 2], null, {}]) {
    await rejects(collectTensor(streamOf(chunk) as never), ArgumentError, got);
    await rejects(collect(streamOf(chunk as never).pipeThrough(new HctDecoderStream())), ArgumentError, got);
    const writer = new HctWriter(memorySink(), { dtype: 'I8', shape: [4] });
    await rejects(writer.write(chunk as never), ArgumentError, got);
    await rejects(memorySink().write(chunk as never, 0), ArgumentError, got);
    throws(() => bytesSource(chunk as never), ArgumentError, got);
  }
});

test('memory that another thread has been given is refused', async () => {
  const view = Float32Array.of(1, 2);
  const { buffer } = view;
  structuredClone(buffer, { transfer: [buffer] });
  for (const gone of [view, buffer]) {
    throws(() => bytesSource(gone), ArgumentError, /its memory has been transferred$/);
    await rejects(collectTensor(gone), ArgumentError, /its memory has been transferred$/);
  }
});

test('a model is usable before its stream has ended, and fetched once', async () => {
  const large = Float32Array.from({ length: 2 ** 18 }, (_, i) => Math.sin(i));
  const file = await modelFileOf(
    concatBytes([
      safetensorsOf(`{"w":{"dtype":"F32","shape":[512,512],"data_offsets":[0,${large.byteLength}]}}`),
      viewBytes(large),
    ]),
  );
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulled === file.length) return controller.close();
      controller.enqueue(file.slice(pulled, pulled + 10_000));
      pulled = Math.min(file.length, pulled + 10_000);
    },
  });
  const model = await openModel(new Response(body));
  assert.ok(pulled < file.length / 2, `${pulled} of ${file.length}`);
  const usable = await model.tensor('w', { quality: 0.9 });
  assert.ok(usable.cosine >= 0.9);
  assert.ok(pulled < file.length, `${pulled} of ${file.length}`);
  assert.equal((await model.tensor('w')).data, large);
  assert.is(pulled, file.length);
  await model.close();
});

test('closing a reader of a stream cancels the stream', async () => {
  let reason: unknown = 'none';
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(hct.bytes)),
    cancel: (why) => {
      reason = why;
    },
  });
  const reader = await HctReader.open(stream);
  await reader.close();
  assert.is(reason, undefined);
  await rejects(reader.readAll(), DOMException, /closed/);
});

test('a stream that fails, fails all reads, and the reader that is being opened', async () => {
  async function* broken() {
    yield new Uint8Array(hct.bytes.subarray(0, 50));
    throw new Error('broken');
  }
  await rejects(HctReader.open(broken()), Error, /broken/);
  const kept = new KeptBytes(
    { next: async () => Promise.reject(new Error('broken')) },
    { maxSize: 10, tooLarge: () => new LimitError('') },
  );
  for (let i = 0; i < 2; i++) await rejects(kept.reader({ start: 0, end: 1 }).next(), Error, /broken/);
});

test('aborting ends the wait for a stream that stalls', async () => {
  const abort = new AbortController();
  const opening = HctReader.open(new ReadableStream<Uint8Array>(), { signal: abort.signal });
  await tick();
  abort.abort(new Error('enough'));
  await rejects(opening, Error, /enough/);
});

test('a page: texts are relative to it', async () => {
  const requested: string[] = [];
  const fetch = async (url: string) => {
    requested.push(url);
    return new Response(safetensors);
  };
  Object.defineProperty(globalThis, 'document', {
    value: { baseURI: 'http://page/folder/' },
    configurable: true,
  });
  try {
    for (const input of ['a.safetensors', '/b c.safetensors', '//host/c.safetensors']) {
      const model = await openModel(input, { http: { fetch: fetch as never } });
      await model.close();
    }
  } finally {
    Reflect.deleteProperty(globalThis, 'document');
  }
  assert.equal(
    [...new Set(requested)],
    ['http://page/folder/a.safetensors', 'http://page/b%20c.safetensors', 'http://host/c.safetensors'],
  );
});

test('an engine without files: a path is refused, as any URL without a page', async () => {
  const { getBuiltinModule } = process;
  Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true });
  try {
    await rejects(openModel('model.safetensors'), ArgumentError, /it is no URL/);
  } finally {
    Object.defineProperty(process, 'getBuiltinModule', { value: getBuiltinModule, configurable: true });
  }
});

test('blob: and data: URLs are URLs', async () => {
  const blob = URL.createObjectURL(new Blob([safetensors]));
  const data = `data:application/octet-stream;base64,${Buffer.from(safetensors).toString('base64')}`;
  for (const url of [blob, data]) assert.equal((await readSafetensors(url)).get('w')!.data, values);
});

test.run();

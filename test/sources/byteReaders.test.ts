import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../index.js';
import {
  HctDecoderStream,
  HctEncoderStream,
  HctParserStream,
  NpyEncoderStream,
} from '../../operators/index.js';
import { type FileSource, fileSource } from '../../sources/file.js';
import {
  blobSource,
  bytesSource,
  httpSource,
  memoryStore,
  openCache,
  streamSource,
  withCache,
  withRetry,
} from '../../sources/index.js';
import { rejects, throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect, tick } from '../helpers/streams.js';

const test = suite('byte readers');

const bytes = pseudoRandomBytes(150_001);
const fixture = hctFixtures.find(({ file }) => file.includes('v2-lz4-bf16-2d'))!;

let folder: string;
let server: FaultyServer;
let file: FileSource;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-byob-'));
  server = await faultyServer(bytes);
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  file = await fileSource(path);
});
test.after(async () => {
  await file.close();
  await rm(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

/** All bytes, read into views of these lengths in turn. */
async function readAll(stream: ReadableStream<Uint8Array>, lengths: readonly number[]): Promise<Uint8Array> {
  const reader = stream.getReader({ mode: 'byob' });
  const parts: Uint8Array[] = [];
  for (let i = 0; ; i++) {
    const { done, value } = await reader.read(new Uint8Array(lengths[i % lengths.length]!));
    if (done) return concatBytes(parts);
    assert.ok(value.length > 0);
    parts.push(value);
  }
}

/** Streams of ours that give `bytes`, by name. */
async function streams(): Promise<Record<string, () => ReadableStream<Uint8Array>>> {
  const cached = withCache({ ...bytesSource(bytes), version: async () => '1' }, openCache(memoryStore()));
  const encoder = () => chunked(bytes, 7777).pipeThrough(new NpyEncoderStream('U8', [bytes.length]));
  const npy = concatBytes(await collect(encoder()));
  const header = npy.length - bytes.length;
  return {
    bytesSource: () => bytesSource(bytes).stream(),
    blobSource: () => blobSource(new Blob([bytes])).stream(),
    fileSource: () => file.stream(),
    httpSource: () => httpSource(server.url).stream(),
    withRetry: () => withRetry(bytesSource(bytes)).stream(),
    withCache: () => cached.stream(),
    streamSource: () => streamSource(chunked(bytes, 1000)).stream(),
    NpyEncoderStream: () => streamSource(encoder()).stream({ start: header }),
  };
}

test('all of ours: into memory of any size, without a byte changed, lost or doubled', async () => {
  const before = bytes.slice();
  for (const [name, open] of Object.entries(await streams())) {
    for (const lengths of [[1000], [1, 70_000, 3], [200_000]]) {
      assert.equal(await readAll(open(), lengths), bytes, `${name}, ${lengths}`);
    }
  }
  assert.equal(bytes, before, 'the memory of a source stays its own');
});

test('stages that give bytes; those that give others refuse, as streams of others do', async () => {
  const decoded = chunked(fixture.bytes, 100).pipeThrough(new HctDecoderStream());
  assert.equal(await readAll(decoded, [333]), new Uint8Array(fixture.raw));
  const { dtype, shape } = fixture;
  const encode = () => new HctEncoderStream({ dtype, shape });
  const encoded = await readAll(chunked(fixture.raw, 100).pipeThrough(encode()), [50]);
  assert.equal(encoded, concatBytes(await collect(chunked(fixture.raw, 100).pipeThrough(encode()))));
  const parts = chunked(fixture.bytes, 100).pipeThrough(new HctParserStream());
  throws(() => parts.getReader({ mode: 'byob' } as never), TypeError);
  assert.not(parts.locked);
});

test('borrowed memory comes back filled, also at the end; `min` waits for enough', async () => {
  const reader = bytesSource(bytes.subarray(0, 10)).stream().getReader({ mode: 'byob' });
  const memory = new ArrayBuffer(100);
  const first = await reader.read(new Uint8Array(memory, 20, 6));
  assert.equal(first.value, bytes.subarray(0, 6));
  assert.is(first.value!.byteOffset, 20);
  assert.is(first.value!.buffer.byteLength, 100);
  const second = await reader.read(new Uint16Array(first.value!.buffer, 0, 50));
  assert.equal(new Uint8Array(second.value!.buffer, 0, 4), bytes.subarray(6, 10));
  const last = await reader.read(new Uint8Array(second.value!.buffer));
  assert.is(last.done, true);
  assert.is(last.value!.byteLength, 0);
  await reader.closed;
});

test('a header by a byte reader, the rest by any other way', async () => {
  const rest: Record<string, (stream: ReadableStream<Uint8Array>) => Promise<Uint8Array[]>> = {
    getReader: async (stream) => {
      const reader = stream.getReader();
      const parts: Uint8Array[] = [];
      for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
      return parts;
    },
    'another byte reader': async (stream) => [await readAll(stream, [777])],
    pipeTo: async (stream) => {
      const parts: Uint8Array[] = [];
      await stream.pipeTo(new WritableStream({ write: (chunk) => void parts.push(chunk) }));
      return parts;
    },
    pipeThrough: (stream) => collect(stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>())),
    tee: async (stream) => collect(stream.tee()[1]),
    'for await': (stream) => collect(stream),
  };
  for (const [name, readRest] of Object.entries(rest)) {
    const stream = bytesSource(bytes).stream();
    const reader = stream.getReader({ mode: 'byob' });
    assert.ok(stream.locked);
    const { value } = await reader.read(new Uint8Array(8));
    reader.releaseLock();
    assert.not(stream.locked);
    assert.equal(concatBytes([value!, ...(await readRest(stream))]), bytes, name);
  }
  const stream = bytesSource(bytes).stream();
  await readAll(streamSource(stream).stream(), [100]);
  assert.ok(stream.locked === false);
});

test('cancelling and aborting reach the source; failures arrive', async () => {
  let reason: unknown;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      cancel: (why) => {
        reason = why;
      },
    });
  const reader = streamSource(endless()).stream().getReader({ mode: 'byob' });
  const reading = reader.read(new Uint8Array(5));
  await tick();
  await reader.cancel('enough');
  assert.is((await reading).done, true);
  assert.is(reason, 'enough');

  const released = streamSource(endless()).stream();
  released.getReader({ mode: 'byob' }).releaseLock();
  await released.cancel('enough of it');
  assert.is(reason, 'enough of it');

  const abort = new AbortController();
  const aborted = streamSource(new ReadableStream<Uint8Array>()).stream({ signal: abort.signal });
  const waiting = aborted.getReader({ mode: 'byob' }).read(new Uint8Array(5));
  await tick();
  abort.abort(new Error('stop'));
  await rejects(waiting, Error, /stop/);

  async function* broken() {
    yield bytes.subarray(0, 5);
    throw new Error('broken');
  }
  await rejects(readAll(streamSource(broken()).stream(), [100]), Error, /broken/);
});

test('a locked stream has no second reader; other modes are the engine’s matter', () => {
  const stream = bytesSource(bytes).stream();
  throws(() => stream.getReader({ mode: 'other' } as never), TypeError);
  stream.getReader();
  throws(() => stream.getReader({ mode: 'byob' }), TypeError);
  throws(() => stream.getReader(), TypeError);
});

test('a stream is read no further than its byte reader asks', async () => {
  let pulled = 0;
  const origin = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(10));
      },
    },
    { highWaterMark: 0 },
  );
  const reader = streamSource(origin).stream().getReader({ mode: 'byob' });
  await tick();
  assert.is(pulled, 0);
  for (let i = 0; i < 3; i++) await reader.read(new Uint8Array(4));
  await tick();
  assert.is(pulled, 1);
});

test('a reader over a stream of which the header was taken by a byte reader', async () => {
  const stream = bytesSource(concatBytes([new Uint8Array(16), fixture.bytes])).stream();
  const reader = stream.getReader({ mode: 'byob' });
  await reader.read(new Uint8Array(16));
  reader.releaseLock();
  assert.equal((await HctReader.open(stream)).shape, fixture.shape);
});

test.run();

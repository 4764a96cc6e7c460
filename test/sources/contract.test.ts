import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSource } from '../../node.js';
import {
  blobSource,
  bytesSource,
  httpSource,
  memoryStore,
  openCache,
  streamSource,
  withCache,
  withCoalescing,
  withFailover,
  withRetry,
} from '../../sources/index.js';
import { CHUNK_SIZE } from '../../sources/ranges.js';
import { StartedSource } from '../../sources/startedSource.js';
import { ArgumentError, TruncatedError } from '../../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../../src/source.js';
import { rejects, throws } from '../helpers/assertions.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';

/** Every source, and every wrapper of one, keeps the same contract; each test runs on all of them. */

const bytes = pseudoRandomBytes(3 * CHUNK_SIZE + 1234);

interface Made {
  readonly source: ByteSource;
  readonly close?: () => Promise<void>;
}

const withReads: Record<string, () => Promise<Made & { source: RandomAccessSource }>> = {
  bytes: async () => ({ source: bytesSource(bytes) }),
  blob: async () => ({ source: blobSource(new Blob([bytes])) }),
  'blob of a library': async () => ({ source: blobSource(new LibraryBlob([bytes])) }),
  file: async () => {
    const source = await fileSource(path);
    return { source, close: () => source.close() };
  },
  http: async () => ({ source: httpSource(server.url) }),
  'with coalescing': async () => ({ source: withCoalescing(bytesSource(bytes)) }),
  'with retry': async () => ({ source: withRetry(bytesSource(bytes)) }),
  'with failover': async () => ({
    source: withFailover([bytesSource(bytes), blobSource(new Blob([bytes]))]),
  }),
  'whose start is under way': async () => ({ source: new StartedSource(httpSource(server.url)) }),
  'with a cache of what has no version': async () => ({
    source: withCache(bytesSource(bytes), openCache(memoryStore())),
  }),
  'with everything, over http': async () => {
    const cached = withCache(httpSource(server.url, { retry: false }), openCache(memoryStore()));
    return { source: withCoalescing(withRetry(withFailover([cached]))) };
  },
};
const withoutReads: Record<string, () => Promise<Made>> = {
  stream: async () => ({ source: streamSource(() => chunked(bytes, 1000)) }),
  iterable: async () => ({ source: streamSource(() => [bytes.subarray(0, 70000), bytes.subarray(70000)]) }),
};

/** Streams its bytes in its own way, as those of libraries do that fetch them. */
class LibraryBlob extends Blob {
  override slice(start?: number, end?: number): LibraryBlob {
    return new LibraryBlob([super.slice(start, end)]);
  }

  override stream(): ReturnType<Blob['stream']> {
    const pieces = async function* (whole: Promise<ArrayBuffer>) {
      yield* chunked(new Uint8Array(await whole), 999);
    };
    return streamSource(pieces(this.arrayBuffer())).stream() as ReturnType<Blob['stream']>;
  }
}

let folder: string;
let path: string;
let server: FaultyServer;

const test = suite('sources: the contract');

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  path = join(folder, 'file');
  await writeFile(path, bytes);
  server = await faultyServer(bytes);
});

test.after(async () => {
  await rm(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await collect(stream)));
}

for (const [name, make] of Object.entries({ ...withReads, ...withoutReads })) {
  test(`${name}: streams the whole and ranges of it`, async () => {
    const { source, close } = await make();
    assert.equal(await bytesOf(source.stream()), bytes);
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [5, 5],
      [1, CHUNK_SIZE + 1],
      [CHUNK_SIZE, 2 * CHUNK_SIZE],
      [bytes.length - 1, bytes.length],
      [bytes.length, bytes.length],
      [69999, undefined],
      [bytes.length, undefined],
    ] as const) {
      const expected = bytes.slice(start, end);
      assert.equal(await bytesOf(source.stream({ start, end })), expected, `${start} to ${end}`);
    }
    await close?.();
  });

  test(`${name}: chunks are plain, not empty, and of modest size`, async () => {
    const { source, close } = await make();
    for (const chunk of await collect(source.stream({ start: 7 }))) {
      assert.is(chunk.constructor, Uint8Array);
      assert.ok(chunk.length > 0);
      if (name !== 'iterable') assert.ok(chunk.length <= CHUNK_SIZE);
    }
    await close?.();
  });

  test(`${name}: arguments are checked, and ranges beyond the end`, async () => {
    const { source, close } = await make();
    for (const range of [{ start: -1 }, { start: 0.5 }, { end: Number.NaN }, { start: 3, end: 2 }]) {
      throws(() => source.stream(range), ArgumentError, /value of (start|end)/);
    }
    await rejects(bytesOf(source.stream({ end: bytes.length + 1 })), TruncatedError);
    await rejects(bytesOf(source.stream({ start: bytes.length + 1, end: bytes.length + 2 })), TruncatedError);
    await close?.();
  });

  test(`${name}: abort before, and in the middle`, async () => {
    const { source, close } = await make();
    const reason = new Error('enough');
    await rejects(bytesOf(source.stream({ signal: AbortSignal.abort(reason) })), Error, /enough/);
    const abort = new AbortController();
    const reader = source.stream({ signal: abort.signal }).getReader();
    await reader.read();
    const pending = reader.read();
    abort.abort(reason);
    const [outcome] = await Promise.allSettled([pending]);
    if (outcome.status === 'rejected') assert.is(outcome.reason, reason);
    await rejects(reader.read(), Error, /enough/);
    await close?.();
  });
}

for (const [name, make] of Object.entries(withReads)) {
  test(`${name}: reads into memory of the caller, or gives out other memory`, async () => {
    const { source, close } = await make();
    for (const [offset, length] of [
      [0, 10],
      [1, CHUNK_SIZE + 5],
      [CHUNK_SIZE, 1000],
    ] as const) {
      const into = new Uint8Array(length).fill(1);
      const read = await source.read(offset, length, { into });
      assert.equal(read, bytes.slice(offset, offset + length));
      // No source keeps what it has given out there.
      into.fill(2);
      assert.equal(await source.read(offset, length), bytes.slice(offset, offset + length));
    }
    const other = new Uint8Array(4).fill(3);
    assert.equal(await source.read(5, 3, { into: other }), bytes.slice(5, 8), 'memory of another size');
    assert.equal(other, new Uint8Array(4).fill(3));
    await close?.();
  });
}

for (const [name, make] of Object.entries(withReads)) {
  test(`${name}: reads exactly what is asked for`, async () => {
    const { source, close } = await make();
    for (const [offset, length] of [
      [0, 0],
      [0, 1],
      [3, 150_000],
      [bytes.length - 5, 5],
      [bytes.length, 0],
      [0, bytes.length],
    ] as const) {
      assert.equal(await source.read(offset, length), bytes.slice(offset, offset + length));
    }
    assert.is(source.size, bytes.length);
    await close?.();
  });

  test(`${name}: reads out of bounds, malformed, aborted`, async () => {
    const { source, close } = await make();
    await rejects(source.read(bytes.length - 5, 6), TruncatedError);
    await rejects(source.read(bytes.length + 1, 1), TruncatedError);
    await rejects(source.read(2 ** 40, 1), TruncatedError);
    for (const [offset, length] of [
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [0, Infinity],
      [Number.MAX_SAFE_INTEGER, 1],
    ] as const) {
      await rejects(source.read(offset, length), ArgumentError, /value of (offset|length)/);
    }
    const abort = new AbortController();
    const reading = source.read(0, 100_000, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await rejects(reading, Error, /enough/);
    await rejects(source.read(0, 1, { signal: abort.signal }), Error, /enough/);
    await close?.();
  });
}

for (const [name, make] of Object.entries(withReads)) {
  test(`${name}: closing it ends its streams, where there is something to close`, async () => {
    const { source } = await make();
    if (source.close === undefined) return;
    const reader = source.stream().getReader();
    await reader.read();
    await source.close();
    await rejects(reader.read(), Error, /closed|file/);
  });

  test(`${name}: cancelling a stream leaves the source usable`, async () => {
    const { source, close } = await make();
    const reader = source.stream().getReader();
    await reader.read();
    await reader.cancel(new Error('enough'));
    assert.equal(await source.read(1, 5), bytes.slice(1, 6));
    await close?.();
  });
}

test.run();

import { lastValueFrom, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ponyfill from 'web-streams-polyfill';
import { openModel } from '../../models/openModel.js';
import { decodeHct, fromReadableStream, HctDecoderStream } from '../../operators/index.js';
import { HctReader } from '../../readers/hctReader.js';
import { collectTensor, sinkStream, streamSink } from '../../sinks/index.js';
import {
  bytesSource,
  memoryStore,
  openCache,
  streamSource,
  withCache,
  withRetry,
} from '../../sources/index.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { chunked, collect, tick } from '../helpers/streams.js';

/** Streams of another implementation than the engine's, as a ponyfill or a library brings them. */
const test = suite('foreign streams');

const fixture = hctFixtures.find(({ version, dtype }) => version === 2 && dtype === 'F32')!;
const { bytes, raw } = fixture;

/** The bytes in chunks, in a stream of the ponyfill's class. */
function foreign(content: Uint8Array, size = 100): ReadableStream<Uint8Array> {
  const own = chunked(content, size).getReader();
  return new ponyfill.ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await own.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }) as ReadableStream<Uint8Array>;
}

/** A source whose streams are all foreign. */
function foreignSource(content: Uint8Array): RandomAccessSource & { readonly size: number } {
  const own = bytesSource(content);
  return {
    ...own,
    size: content.length,
    stream: ({ start = 0, end = content.length } = {}) => foreign(content.subarray(start, end)),
  };
}

test('the engine takes none of them', async () => {
  assert.not.instance(foreign(bytes), ReadableStream);
  await rejects(foreign(bytes).pipeTo(new WritableStream()), TypeError);
});

test('in: collected, observed, decoded', async () => {
  assert.equal(viewBytes((await collectTensor(foreign(bytes))).data), new Uint8Array(raw));
  const blocks = await lastValueFrom(fromReadableStream(foreign(bytes)).pipe(decodeHct(), toArray()));
  assert.equal(concatBytes(blocks), new Uint8Array(raw));
  const decoded = streamSource(foreign(bytes)).stream().pipeThrough(new HctDecoderStream());
  assert.equal(concatBytes(await collect(decoded)), new Uint8Array(raw));
});

test('in: the streams of a source of the user’s own, wrapped or not', async () => {
  const cache = await openCache(memoryStore());
  const wrap = {
    bare: (source: RandomAccessSource) => source,
    retried: (source: RandomAccessSource) => withRetry(source),
    cached: (source: RandomAccessSource) => withCache({ ...source, version: async () => 'v1' }, cache),
  };
  for (const [name, wrapped] of Object.entries(wrap)) {
    const reader = await HctReader.open(wrapped(foreignSource(bytes)));
    assert.equal(viewBytes((await reader.readAll()).data), new Uint8Array(raw), name);
    const streamed = await collectTensor(wrapped(foreignSource(bytes)).stream());
    assert.equal(viewBytes(streamed.data), new Uint8Array(raw), name);
  }
});

test('in: aborting cancels them, with the reason', async () => {
  let reason: unknown;
  const stalled = new ponyfill.ReadableStream<Uint8Array>({
    cancel: (why) => {
      reason = why;
    },
  }) as ReadableStream<Uint8Array>;
  const abort = new AbortController();
  const collecting = collectTensor(stalled, { signal: abort.signal });
  await tick();
  const enough = new Error('enough');
  abort.abort(enough);
  await rejects(collecting, Error, /enough/);
  assert.is(reason, enough);
});

test('out: written to, alone and at the end of a pipe', async () => {
  for (const pipe of [false, true]) {
    const written: Uint8Array[] = [];
    let closed = false;
    const target = new ponyfill.WritableStream<Uint8Array>({
      write: (chunk) => void written.push(chunk),
      close: () => {
        closed = true;
      },
    }) as WritableStream<Uint8Array>;
    const sink = streamSink(target);
    if (pipe) {
      await chunked(bytes, 100).pipeThrough(new HctDecoderStream()).pipeTo(sinkStream(sink));
    } else {
      await sink.write(new Uint8Array(raw), 0);
      await sink.close();
    }
    assert.equal(concatBytes(written), new Uint8Array(raw));
    assert.ok(closed);
  }
});

test('between: a foreign transform in a pipe of ours', async () => {
  const { readable, writable } = new ponyfill.TransformStream<Uint8Array, Uint8Array>() as TransformStream<
    Uint8Array,
    Uint8Array
  >;
  const piping = chunked(bytes, 100).pipeTo(sinkStream(streamSink(writable)));
  const decoded = streamSource(readable).stream().pipeThrough(new HctDecoderStream());
  assert.equal(concatBytes(await collect(decoded)), new Uint8Array(raw));
  await piping;
});

test('a model from a source of foreign streams', async () => {
  const json = new TextEncoder().encode('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(json.length), true);
  const file = concatBytes([start, json, viewBytes(Float32Array.of(1, 2))]);
  const model = await openModel(foreignSource(file));
  assert.equal((await model.tensor('w')).data, Float32Array.of(1, 2));
});

test.run();

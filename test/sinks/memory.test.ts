import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySink, sinkStream, streamSink } from '../../sinks/index.js';
import { ArgumentError, LimitError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';

const test = suite('memorySink, sinkStream, streamSink');

test('writes in any order, with holes of zeros, over what is there', async () => {
  const sink = memorySink();
  assert.is(sink.bytes.length, 0);
  await sink.write(new Uint8Array([7, 8]), 4);
  await sink.write(new Uint8Array([1, 2, 3]), 0);
  await sink.write(new Uint8Array([9]), 1);
  assert.equal(sink.bytes, new Uint8Array([1, 9, 3, 0, 7, 8]));
  await sink.close();
  await sink.close();
  assert.is(sink.bytes.length, 6);
  await rejects(sink.write(new Uint8Array(1), 0), ArgumentError, /closed/);
});

test('grows to the cap and not beyond', async () => {
  const bytes = pseudoRandomBytes(300_000);
  const sink = memorySink({ maxSize: bytes.length });
  await chunked(bytes, 1000).pipeTo(sinkStream(sink));
  assert.equal(sink.bytes, bytes);
  const small = memorySink({ maxSize: 100 });
  await small.write(new Uint8Array(100), 0);
  await rejects(small.write(new Uint8Array(1), 100), LimitError, /at most 100 bytes, got 101/);
  for (const position of [-1, 0.5, Number.NaN]) {
    await rejects(small.write(new Uint8Array(1), position), ArgumentError, /position/);
  }
});

test('a stream that fails, is aborted or cannot be written aborts the sink', async () => {
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
    },
    pull(controller) {
      controller.error(new Error('broken'));
    },
  });
  const sink = memorySink();
  await rejects(broken.pipeTo(sinkStream(sink)), Error, /broken/);
  await rejects(sink.write(new Uint8Array(1), 0), ArgumentError, /aborted/);
  const small = memorySink({ maxSize: 15 });
  await rejects(chunked(new Uint8Array(100), 10).pipeTo(sinkStream(small)), LimitError);
  assert.is(small.bytes.length, 0);
});

test('a stream as a sink takes bytes in order only', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const chunks = collect(readable);
  const sink = streamSink(writable);
  await sink.write(new Uint8Array([1, 2]), 0);
  await rejects(sink.write(new Uint8Array([3]), 0), ArgumentError, /expected 2, got 0/);
  await sink.write(new Uint8Array([3]), 2);
  await sink.close();
  assert.equal(await chunks, [new Uint8Array([1, 2]), new Uint8Array([3])]);
});

test.run();

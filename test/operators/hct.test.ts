import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from, lastValueFrom, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import {
  collectHct,
  decodeHct,
  decompressHct,
  encodeHct,
  HctCollectorStream,
  HctDecoderStream,
  HctDecompressionStream,
  HctEncoderStream,
  HctParserStream,
  HctVerificationStream,
  parseHct,
  verifyHct,
} from '../../operators/hct.js';
import { StageStream } from '../../operators/stageStream.js';
import { collectTensor, TensorSink } from '../../sinks/tensor.js';
import { ChecksumError, TruncatedError } from '../../src/errors.js';
import { decodedBytes, HctDecoder } from '../../src/hct/decoder.js';
import type { HctDecodedPart } from '../../src/hct/parts.js';
import type { Stage } from '../../src/stage.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { chunked, collect, streamOf, tick } from '../helpers/streams.js';

const test = suite('HCT: stages as streams and operators');

const BLOCK = 1024;
const BLOCKS = 500;
const content = new Uint8Array(BLOCK * BLOCKS).map((_, i) => i >> 10);
const options = { dtype: 'I8', shape: [BLOCKS, BLOCK], blockSize: BLOCK } as const;
let file: Uint8Array;

test.before(async () => {
  const encoded = await collect(chunked(content, 5000).pipeThrough(new HctEncoderStream(options)));
  file = Buffer.concat(encoded);
});

function joinData(parts: readonly HctDecodedPart[]): Buffer {
  assert.equal([parts[0]!.kind, parts.at(-1)!.kind], ['start', 'end']);
  return Buffer.concat(parts.flatMap((part) => (part.kind === 'data' ? [part.bytes] : [])));
}

test('the same through every face', async () => {
  const expected = Buffer.from(content);
  const bytes$ = () => fromReadableStream(chunked(file, 333));
  const streamed = chunked(file, 333)
    .pipeThrough(new HctParserStream())
    .pipeThrough(new HctVerificationStream())
    .pipeThrough(new HctDecompressionStream());
  assert.equal(joinData(await collect(streamed)), expected);
  const observed = bytes$().pipe(parseHct(), verifyHct(), decompressHct(), toArray());
  assert.equal(joinData(await lastValueFrom(observed)), expected);
  assert.equal(Buffer.concat(await lastValueFrom(bytes$().pipe(decodeHct(), toArray()))), expected);
  const encoded = from([content]).pipe(encodeHct(options), toArray());
  assert.equal(Buffer.concat(await lastValueFrom(encoded)), Buffer.from(file));
  const [collected] = await collect(chunked(file, 333).pipeThrough(new HctCollectorStream()));
  for (const tensor of [collected!, await lastValueFrom(bytes$().pipe(collectHct()))]) {
    assert.equal(Buffer.from(viewBytes(tensor.data)), expected);
  }
});

test('stream.pipeline and Duplex.fromWeb', async () => {
  const out: Uint8Array[] = [];
  await pipeline(
    Readable.from([file]),
    Duplex.fromWeb(new HctDecoderStream() as never),
    async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) out.push(chunk);
    },
  );
  assert.equal(Buffer.concat(out), Buffer.from(content));
});

test('one chunk that holds all blocks: a slow reader keeps the decoder a block ahead at most', async () => {
  let decoded = 0;
  const inner = new HctDecoder(decodedBytes);
  const counted: Stage<Uint8Array, Uint8Array> = {
    async *push(chunk) {
      for await (const bytes of inner.push(chunk)) {
        decoded += 1;
        yield bytes;
      }
    },
    flush: () => inner.flush(),
  };
  const reader = streamOf(file)
    .pipeThrough(new StageStream(() => counted))
    .getReader();
  for (let i = 1; i <= 10; i++) {
    await reader.read();
    await tick(2);
    assert.ok(decoded <= i + 1, `${decoded} decoded, ${i} read`);
  }
  await reader.cancel();
});

test('separate stages: a slow sink holds up the source within a handful of blocks', async () => {
  let pulled = 0;
  const size = Math.ceil(file.length / BLOCKS);
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const at = pulled * size;
        pulled += 1;
        if (at >= file.length) controller.close();
        else controller.enqueue(file.subarray(at, at + size));
      },
    },
    { highWaterMark: 0 },
  );
  const headChunks = Math.ceil((64 + 16 * BLOCKS) / size);
  const reader = source
    .pipeThrough(new HctParserStream())
    .pipeThrough(new HctVerificationStream())
    .pipeThrough(new HctDecompressionStream())
    .getReader();
  for (let read = 0; read < 10; read++) {
    await reader.read();
    await tick(2);
    assert.ok(pulled - headChunks - read <= 8, `${pulled - headChunks} chunks pulled, ${read} blocks read`);
  }
  await reader.cancel();
});

test('cancelling at any point reaches the source once', async () => {
  for (const reads of [0, 1, 2, 7]) {
    let cancelled = 0;
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(file.subarray(0, file.length - 1)),
      cancel: () => {
        cancelled += 1;
      },
    });
    const reader = source
      .pipeThrough(new HctParserStream())
      .pipeThrough(new HctVerificationStream())
      .pipeThrough(new HctDecompressionStream())
      .getReader();
    for (let i = 0; i < reads; i++) await reader.read();
    await reader.cancel('enough');
    await tick();
    assert.is(cancelled, 1, `after ${reads} reads`);
  }
});

test('aborting a collector cancels the source, whatever it waits for', async () => {
  for (const given of [0, 50, 9000]) {
    let cancelled = 0;
    const abort = new AbortController();
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(file.subarray(0, given)),
      cancel: () => {
        cancelled += 1;
      },
    });
    const collecting = collectTensor(stalled, { signal: abort.signal });
    await tick();
    abort.abort(new Error('enough'));
    await rejects(collecting, Error, /enough/);
    assert.is(cancelled, 1);
  }
});

test('an error in the middle errors both ends', async () => {
  const broken = file.slice();
  broken[64 + 16 * BLOCKS + 300]! ^= 1;
  let cancelled = false;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(broken),
    cancel: () => {
      cancelled = true;
    },
  });
  await rejects(collect(source.pipeThrough(new HctDecoderStream())), ChecksumError, /block/);
  await tick();
  assert.ok(cancelled);
  await rejects(lastValueFrom(from([broken]).pipe(parseHct(), verifyHct())), ChecksumError, /block/);
});

test('TensorSink: the error of the stream is the error of the tensor', async () => {
  const sink = new TensorSink();
  await rejects(chunked(file.subarray(0, 70), 9).pipeTo(sink), TruncatedError, /block index/);
  await rejects(sink.tensor, TruncatedError, /block index/);
});

test.run();

import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FragmentDecoderStream,
  QualityLimiterStream,
  ReconstructionStream,
} from '../../../operators/holotensor.js';
import { ArgumentError, ChecksumError, TruncatedError } from '../../../src/errors.js';
import type { ReceivedFragment } from '../../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../../src/holotensor/reconstruction.js';
import { assertClose, rejects } from '../../helpers/assertions.js';
import { cosineSimilarity } from '../../helpers/encodings.js';
import { holoFile } from '../../helpers/holoFiles.js';
import { noise } from '../../helpers/random.js';
import { chunked, collect, streamOf, tick, until } from '../../helpers/streams.js';

const data = noise(40 * 50);
const shape = [40, 50];
const file = holoFile('spectral', data, shape);

function received(bytes: Uint8Array = file): Promise<ReceivedFragment[]> {
  return collect(chunked(bytes, 100).pipeThrough(new FragmentDecoderStream()));
}

/** A stream of these bytes that counts what is pulled, and whether it was cancelled. */
function counted(bytes: Uint8Array, size: number) {
  const state = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = bytes.subarray(state.pulled, state.pulled + size);
        if (chunk.length === 0) return controller.close();
        state.pulled += chunk.length;
        controller.enqueue(chunk);
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

for (const size of [1, 7, 4096, file.length]) {
  test(`a reader that keeps up sees the tensor get better with every fragment, chunks of ${size}`, async () => {
    const stream = chunked(file, size)
      .pipeThrough(new FragmentDecoderStream())
      .pipeThrough(new ReconstructionStream());
    const seen: Reconstruction[] = [];
    for await (const reconstruction of stream) {
      const cosine = cosineSimilarity(reconstruction.data as Float32Array, data);
      assert.ok(Math.abs(cosine - reconstruction.quality.cosine!) < 1e-4);
      seen.push(reconstruction);
    }
    assert.equal(
      seen.map(({ fragments }) => fragments),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(
      seen.map(({ complete }) => complete),
      [false, false, false, false, false, false, false, true],
    );
    const last = seen.at(-1)!;
    assert.is(last.dtype, 'F32');
    assert.equal(last.shape, shape);
    assert.is(last.total, 8);
    assert.is(last.header.encoding, 'spectral');
    assertClose(last.data as Float32Array, data, 1e-6);
    assert.ok(
      seen.every(({ data }) => data === last.data),
      'one array for all of them',
    );
  });
}

test('reuseBuffer: false gives each its own array', async () => {
  const stream = streamOf(...(await received())).pipeThrough(
    new ReconstructionStream({ reuseBuffer: false }),
  );
  const seen = await collect(stream);
  assert.is(new Set(seen.map(({ data }) => data)).size, 8);
  const [first] = seen;
  const cosine = cosineSimilarity(first!.data as Float32Array, data);
  assert.ok(Math.abs(cosine - first!.quality.cosine!) < 1e-4, 'the first is still the first');
});

test('a reader that is busy finds all that has come meanwhile in its next reconstruction', async () => {
  const stream = new ReconstructionStream();
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const [first, ...rest] = await received();
  const firstRead = reader.read();
  await writer.write(first!);
  assert.is((await firstRead).value!.fragments, 1);
  for (const fragment of rest.slice(0, 5)) await writer.write(fragment);
  assert.is((await reader.read()).value!.fragments, 6, 'none was queued');
  await writer.write(rest[5]!);
  await writer.write(rest[6]!);
  const closed = writer.close();
  assert.is((await reader.read()).value!.fragments, 8);
  assert.ok((await reader.read()).done);
  await closed;
});

test("emit 'end': the last state only", async () => {
  const stream = streamOf(...(await received())).pipeThrough(new ReconstructionStream({ emit: 'end' }));
  const seen = await collect(stream);
  assert.equal(
    seen.map(({ fragments }) => fragments),
    [8],
  );
});

test('emit qualityStep: when the quality has risen by so much, and at the end', async () => {
  const stream = streamOf(...(await received())).pipeThrough(
    new ReconstructionStream({ emit: { qualityStep: 0.2 } }),
  );
  const seen = await collect(stream);
  // k of the 8 fragments are worth about √(k/8): 0.35, 0.61, 0.87, and the last.
  assert.equal(
    seen.map(({ fragments }) => fragments),
    [1, 3, 6, 8],
  );
  const qualities = seen.map(({ quality }) => quality.cosine!);
  qualities.slice(1, -1).forEach((quality, i) => {
    assert.ok(quality - qualities[i]! >= 0.2);
  });
  assert.is(qualities.at(-1), 1);
});

test('emit everyMs: what came too early comes when its time has come', async () => {
  const stream = new ReconstructionStream({ emit: { everyMs: 30 } });
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const fragments = await received();
  const first = reader.read();
  await writer.write(fragments[0]!);
  assert.is((await first).value!.fragments, 1);
  const second = reader.read();
  await writer.write(fragments[1]!);
  // No further fragment wakes it: it is the timer that does.
  assert.is((await second).value!.fragments, 2);
  await reader.cancel();
});

test('takeUntilQuality ends, cancels the source, and fetches no further bytes', async () => {
  const { state, stream } = counted(file, 64);
  const endOf = (fragments: number) => 96 + 8 * 24 + fragments * (20 + 4 * 250);
  const seen: Reconstruction[] = [];
  let passed = 0;
  // Fragments that arrive while one is reconstructed would all be in the next state.
  const oneAtATime = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      while (passed >= endOf(seen.length + 1)) await tick();
      passed += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const states = stream
    .pipeThrough(oneAtATime)
    .pipeThrough(new FragmentDecoderStream())
    .pipeThrough(new ReconstructionStream())
    .pipeThrough(new QualityLimiterStream(0.6));
  for await (const one of states) seen.push(one);
  const last = seen.at(-1)!;
  assert.ok(last.quality.cosine! >= 0.6);
  assert.is(last.fragments, 3);
  assert.ok(seen.slice(0, -1).every(({ quality }) => quality.cosine! < 0.6));
  await until(() => state.cancelled);
  assert.ok(state.cancelled);
  const needed = endOf(last.fragments);
  // Two chunks more wait between the source and the fragments.
  assert.ok(state.pulled < needed + 5 * 64, `${state.pulled} pulled, ${needed} needed`);
});

test('cancelling the tensors cancels the source', async () => {
  const { state, stream } = counted(file, 64);
  const reader = stream
    .pipeThrough(new FragmentDecoderStream())
    .pipeThrough(new ReconstructionStream())
    .getReader();
  await reader.read();
  await reader.cancel('enough');
  await tick();
  assert.ok(state.cancelled);
  const { pulled } = state;
  await tick();
  assert.is(state.pulled, pulled);
});

test('what is wrong with a file reaches the reader, after the good fragments', async () => {
  const corrupt = file.slice();
  corrupt[file.length - 1]! ^= 1;
  for (const [bytes, kind] of [
    [corrupt, ChecksumError],
    [file.subarray(0, -1), TruncatedError],
  ] as const) {
    const reader = chunked(bytes, 100)
      .pipeThrough(new FragmentDecoderStream())
      .pipeThrough(new ReconstructionStream())
      .getReader();
    let fragments = 0;
    const readAll = async () => {
      for (;;) fragments = (await reader.read()).value!.fragments;
    };
    await rejects(readAll(), kind);
    assert.is(fragments, 7);
  }
});

test('a fragment that the decoder refuses fails both sides', async () => {
  const stream = new ReconstructionStream();
  const writer = stream.writable.getWriter();
  const read = rejects(stream.readable.getReader().read(), ArgumentError, /value of fragmentIndex/);
  const [first] = await received();
  await writer.write({ ...first!, index: 8 }).catch(() => {});
  await read;
  await rejects(writer.closed, ArgumentError);
});

test('an aborted writable fails the reader', async () => {
  const stream = new ReconstructionStream();
  const read = rejects(stream.readable.getReader().read(), Error, /gone/);
  await stream.writable.abort(new Error('gone'));
  await read;
});

test("dtype 'source' and duplicates", async () => {
  const fragments = await received();
  const twice = fragments.flatMap((fragment) => [fragment, fragment]);
  const seen = await collect(streamOf(...twice).pipeThrough(new ReconstructionStream({ dtype: 'source' })));
  assert.is(seen.length, 8, 'a fragment that comes again changes nothing');
  assert.is(seen.at(-1)!.dtype, 'F32');
});

test('in a Node pipeline', async () => {
  const seen: Reconstruction[] = [];
  await pipeline(
    Readable.from([file.subarray(0, 1000), file.subarray(1000)]),
    Duplex.fromWeb(new FragmentDecoderStream() as never, { objectMode: true }),
    async (fragments: AsyncIterable<ReceivedFragment>) => {
      for await (const { index } of fragments) seen.push(index as never);
    },
  );
  assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test.run();

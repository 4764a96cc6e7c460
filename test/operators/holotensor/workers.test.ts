import { firstValueFrom, from, lastValueFrom, tap } from 'rxjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FragmentDecoderStream,
  QualityLimiterStream,
  ReconstructionStream,
  reconstruct,
} from '../../../operators/holotensor.js';
import type { ReconstructionStreamOptions } from '../../../operators/reconstructStage.js';
import { FormatError, WorkerError } from '../../../src/errors.js';
import type { ReceivedFragment } from '../../../src/holotensor/fragment.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { WorkerPool } from '../../../workers/pool.js';
import { rejects } from '../../helpers/assertions.js';
import { holoFile } from '../../helpers/holoFiles.js';
import { noise } from '../../helpers/random.js';
import { chunked, collect, streamOf } from '../../helpers/streams.js';

const pool = new WorkerPool(2, { url: new URL('../../helpers/workerFromSource.mjs', import.meta.url) });
test.after(() => pool.close());

/** Enough to be decoded in a worker. */
const shape = [300, 257];
const data = noise(300 * 257);
// Both sides with the same kernels: in wasm.
await loadKernels();

function fragmentsOf(encoding: 'spectral' | 'embedded'): Promise<ReceivedFragment[]> {
  const file = holoFile(encoding, data, shape, { fragments: 5 });
  return collect(chunked(file, 4096).pipeThrough(new FragmentDecoderStream()));
}

/** What comes out, each with a copy of its numbers. */
async function through(fragments: readonly ReceivedFragment[], options: ReconstructionStreamOptions) {
  const stream = streamOf(...fragments).pipeThrough(new ReconstructionStream(options));
  const seen = [];
  for await (const tensor of stream) seen.push({ ...tensor, data: tensor.data.slice() });
  return seen;
}

for (const encoding of ['spectral', 'embedded'] as const) {
  test(`the same tensors as without workers, ${encoding}`, async () => {
    const fragments = await fragmentsOf(encoding);
    const twice = fragments.flatMap((fragment) => [fragment, fragment]);
    const ways: ReconstructionStreamOptions[] = [
      {},
      { emit: 'end' },
      { emit: { qualityStep: 0.2 } },
      { reuseBuffer: false },
      { dtype: 'source' },
    ];
    for (const options of ways) {
      const there = await through(twice, { ...options, workers: pool });
      assert.equal(there, await through(twice, options));
    }
  });
}

test('one array for all of them, unless each is to have its own', async () => {
  const fragments = await fragmentsOf('spectral');
  for (const reuseBuffer of [true, false]) {
    const stream = streamOf(...fragments).pipeThrough(
      new ReconstructionStream({ reuseBuffer, workers: pool }),
    );
    const arrays = new Set((await collect(stream)).map((tensor) => tensor.data));
    assert.is(arrays.size, reuseBuffer ? 1 : fragments.length);
  }
});

test('a reader that is busy finds all that has come meanwhile in its next reconstruction', async () => {
  const stream = new ReconstructionStream({ workers: pool });
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const [first, ...rest] = await fragmentsOf('spectral');
  const firstRead = reader.read();
  await writer.write(first!);
  assert.is((await firstRead).value!.fragments, 1);
  for (const fragment of rest) await writer.write(fragment);
  const closed = writer.close();
  assert.is((await reader.read()).value!.fragments, 5);
  assert.ok((await reader.read()).done);
  await closed;
});

test('the operator takes workers, too, and skips what comes while one is at work', async () => {
  const fragments = await fragmentsOf('spectral');
  const [expected] = await through(fragments, { emit: 'end' });
  const seen: number[] = [];
  const last = await lastValueFrom(
    from(fragments).pipe(
      reconstruct({ workers: pool }),
      tap((tensor) => seen.push(tensor.fragments)),
    ),
  );
  assert.equal(last, expected);
  assert.equal(seen.at(-1), 5);
  assert.equal(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
  );
  const first = await firstValueFrom(from(fragments).pipe(reconstruct({ workers: pool })));
  assert.ok(first.fragments >= 1);
  const nowhere = new WorkerPool(1, { url: new URL('nothing.mjs', import.meta.url) });
  const failing = lastValueFrom(from(fragments).pipe(reconstruct({ workers: nowhere })));
  await rejects(failing, WorkerError, /did not start/);
});

test('streams that end early leave nothing behind', async () => {
  const fragments = await fragmentsOf('embedded');
  const until = (quality: number) =>
    collect(
      streamOf(...fragments)
        .pipeThrough(new ReconstructionStream({ workers: pool }))
        .pipeThrough(new QualityLimiterStream(quality)),
    );
  for (let i = 0; i < 5; i++) assert.ok((await until(0.1)).length < 5);
  const reader = streamOf(...fragments)
    .pipeThrough(new ReconstructionStream({ workers: pool }))
    .getReader();
  const read = reader.read();
  await reader.cancel();
  assert.ok((await read).done);
  assert.is((await through(fragments, { workers: pool })).length, 5);
});

test('what a worker finds wrong fails both sides', async () => {
  const fragments = await fragmentsOf('spectral');
  const broken = { ...fragments[1]!, data: fragments[1]!.data.slice(4) };
  const error = await rejects(through([fragments[0]!, broken], { workers: pool }), FormatError);
  assert.is(error.fragmentIndex, 1);
  const nowhere = new WorkerPool(1, { url: new URL('nothing.mjs', import.meta.url) });
  await rejects(through(fragments, { workers: nowhere }), WorkerError, /did not start/);
});

test('small tensors stay in this thread', async () => {
  const nowhere = new WorkerPool(1, { url: new URL('nothing.mjs', import.meta.url) });
  const file = holoFile('spectral', data.subarray(0, 600), [20, 30]);
  const fragments = await collect(chunked(file, 4096).pipeThrough(new FragmentDecoderStream()));
  assert.is((await through(fragments, { workers: nowhere })).length, 8);
});

test.run();

import { lastValueFrom } from 'rxjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import { collectHct, HctCollectorStream, HctDecoderStream } from '../../operators/hct.js';
import type { HctTensorOptions } from '../../operators/hctStages.js';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { TensorSink } from '../../sinks/tensor.js';
import { bytesSource } from '../../sources/bytes.js';
import type { CompressionAlgorithm } from '../../src/codecs/codec.js';
import { ArgumentError, ChecksumError, FormatError, LimitError, TruncatedError } from '../../src/errors.js';
import type { HctTensor } from '../../src/hct/tensorCollector.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects } from '../helpers/assertions.js';
import { isolated } from '../helpers/isolated.js';
import { chunked, collect, tick } from '../helpers/streams.js';

const pool = new WorkerPool(2, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
test.after(() => pool.close());

/** Enough for the reader to use workers for a part of it. */
const LENGTH = 6 * 2 ** 20;
const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => (i >> 4) ^ (i % 13));

const joined = (pieces: Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));

async function hctFile(algorithm: CompressionAlgorithm): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, {
    version: 2,
    algorithm,
    dtype: 'I8',
    shape: [LENGTH],
    blockSize: 16384,
  });
  await writer.write(bytes);
  await writer.close();
  return sink.bytes;
}

for (const algorithm of ['lz4', 'zstd'] as const) {
  test(`HCT blocks decoded by workers, ${algorithm}`, async () => {
    const file = await hctFile(algorithm);
    const before = file.slice();
    const reader = await HctReader.open(bytesSource(file), { workers: pool });
    assert.ok(Buffer.from(bytes).equals(await reader.read(0, LENGTH)));
    const [start, end] = [12_345, LENGTH - 777];
    assert.ok(Buffer.from(bytes.subarray(start, end)).equals(await reader.read(start, end)));
    assert.ok(Buffer.from(before).equals(file), 'the source keeps its bytes');
  });
}

test('into shared memory, from shared memory, and where neither is allowed', async () => {
  const file = await hctFile('lz4');
  const shared = new Uint8Array(new SharedArrayBuffer(file.length));
  shared.set(file);
  const reader = await HctReader.open(bytesSource(shared), { workers: pool });
  const out = new Uint8Array(new SharedArrayBuffer(LENGTH - 2000)).fill(9);
  for (const offset of [0, 1000]) {
    await reader.readInto(out, offset);
    assert.ok(Buffer.from(out).equals(bytes.subarray(offset, offset + out.length)));
  }
  await isolated(false, async () => {
    assert.ok(Buffer.from(bytes).equals(await reader.read(0, LENGTH)));
    const other = await HctReader.open(bytesSource(file), { workers: pool });
    for (let i = 0; i < 3; i++) assert.ok(Buffer.from(bytes).equals(await other.read(0, LENGTH)));
  });
  assert.ok(Buffer.from(shared).equals(file), 'the source keeps its bytes');
});

test('an error in a worker comes out as it is', async () => {
  const file = await hctFile('lz4');
  const reader = await HctReader.open(bytesSource(file), { workers: pool });
  const { offset } = reader.blocks.entry(200);
  const { offset: next } = reader.blocks.entry(201);
  const dataStart = file.length - (reader.blocks.entry(383).offset + reader.blocks.entry(383).compressedSize);
  file[dataStart + Math.floor((offset + next) / 2)]! ^= 1;
  const error = await rejects(reader.readAll(), ChecksumError);
  assert.is(error.blockIndex, 200);
});

for (const algorithm of ['lz4', 'zstd'] as const) {
  test(`a stream of HCT decoded by workers, ${algorithm}`, async () => {
    const stream = chunked(await hctFile(algorithm), 65_536).pipeThrough(
      new HctDecoderStream({ workers: pool }),
    );
    assert.ok(Buffer.from(bytes).equals(joined(await collect(stream))));
  });

  test(`a stream of HCT collected to a tensor by workers, ${algorithm}`, async () => {
    const file = await hctFile(algorithm);
    const through = (options: HctTensorOptions) =>
      collect(chunked(file, 65_536).pipeThrough(new HctCollectorStream(options)));
    const [{ data, ...there }] = (await through({ workers: pool })) as [HctTensor];
    const [{ data: same, ...here }] = (await through({})) as [HctTensor];
    assert.equal(there, here);
    assert.ok(Buffer.from(bytes).equals(viewBytes(data)) && Buffer.from(bytes).equals(viewBytes(same)));
    const observed = fromReadableStream(chunked(file, 65_536)).pipe(collectHct({ workers: pool }));
    assert.ok(Buffer.from(bytes).equals(viewBytes((await lastValueFrom(observed)).data)));
    await rejects(through({ workers: pool, limits: { tensorBytes: LENGTH - 1 } }), LimitError);
  });
}

test('streams of small files do without workers', async () => {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'I8', shape: [1000] });
  await writer.write(bytes.subarray(0, 1000));
  await writer.close();
  // One that could not work.
  const nowhere = { workers: new WorkerPool(1, { url: new URL('nothing.mjs', import.meta.url) }) };
  const [tensor] = await collect(chunked(sink.bytes, 7).pipeThrough(new HctCollectorStream(nowhere)));
  assert.equal(viewBytes(tensor!.data), bytes.slice(0, 1000));
  const decoded = await collect(chunked(sink.bytes, 7).pipeThrough(new HctDecoderStream(nowhere)));
  assert.equal(joined(decoded), bytes.slice(0, 1000));
  sink.bytes[sink.bytes.length - 1]! ^= 1;
  await rejects(collect(chunked(sink.bytes, 7).pipeThrough(new HctCollectorStream(nowhere))), FormatError);
});

test('unsubscribing from a tensor that workers decode ends their tasks', async () => {
  const file = await hctFile('lz4');
  let half: () => void;
  const halfIsOut = new Promise<void>((resolve) => {
    half = resolve;
  });
  let cancelled = false;
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at > file.length / 2) {
        half();
        await new Promise(() => {});
      }
      controller.enqueue(file.slice(at, at + 4096));
      at += 4096;
    },
    cancel() {
      cancelled = true;
    },
  });
  const subscription = fromReadableStream(stream)
    .pipe(collectHct({ workers: pool }))
    .subscribe();
  await halfIsOut;
  subscription.unsubscribe();
  await tick(1);
  assert.ok(cancelled);
  const [tensor] = await collect(
    chunked(file, 65_536).pipeThrough(new HctCollectorStream({ workers: pool })),
  );
  assert.ok(Buffer.from(bytes).equals(viewBytes(tensor!.data)));
});

test('a stream decoded by workers fails where the file is wrong, and stops when it is cancelled', async () => {
  const file = await hctFile('lz4');
  const cut = chunked(file.subarray(0, file.length / 2), 65_536);
  await rejects(collect(cut.pipeThrough(new HctDecoderStream({ workers: pool }))), TruncatedError);
  file[file.length - 100]! ^= 1;
  const flipped = chunked(file, 65_536).pipeThrough(new HctDecoderStream({ workers: pool }));
  await rejects(collect(flipped), ChecksumError);
  const reader = chunked(file, 65_536)
    .pipeThrough(new HctDecoderStream({ workers: pool }))
    .getReader();
  await reader.read();
  await reader.cancel();
});

test('an aborted read rejects with the reason', async () => {
  const reader = await HctReader.open(bytesSource(await hctFile('lz4')), { workers: pool });
  const reason = new RangeError('enough');
  const controller = new AbortController();
  const read = reader.readAll({ signal: controller.signal });
  controller.abort(reason);
  assert.is(await read.catch((error: unknown) => error), reason);
});

test('whole HoloTensors decoded by workers, side by side', async () => {
  const shape = [300, 257];
  for (const encoding of ['spectral', 'embedded'] as const) {
    const data = Float32Array.from({ length: 300 * 257 }, (_, i) => Math.sin(i * i));
    const { header, fragments } = new HoloTensorEncoder(encoding, { fragments: 4 }).encode(data, shape);
    const file = joined(packHoloTensor(header, fragments, { kernels: portableKernels }));
    const open = (options = {}) => HoloTensorReader.open(bytesSource(file), options);
    const here = await (await open()).readAll();
    const reader = await open({ workers: pool });
    const there = await Promise.all([reader.readAll(), reader.readAll()]);
    for (const tensor of there) assert.equal(tensor, here);
    for (const memory of [ArrayBuffer, SharedArrayBuffer]) {
      const outs = [1, 2, 3].map(() => new Float32Array(new memory(4 * 300 * 257)).fill(7));
      const filled = await Promise.all(outs.map((out) => reader.readAll({ out })));
      for (const [i, tensor] of filled.entries()) {
        assert.is(tensor.data, outs[i]);
        assert.equal({ ...tensor, data: Float32Array.from(outs[i]!) }, here);
      }
    }
    for (const each of [reader, await open()]) {
      await rejects(each.readAll({ out: new Float32Array(3) }), ArgumentError, /of length 3/);
      const out = new Float32Array(300 * 257);
      await rejects(
        each.readAll({ out, dtype: 'source' }),
        ArgumentError,
        /expected F32, because `out` holds numbers/,
      );
    }
  }
});

test('a sink that is aborted, and one that fails, cancel the tasks of their tensor', async () => {
  const file = await hctFile('lz4');
  const broken = file.slice();
  broken[file.length - 50_000]! ^= 1;
  for (const [source, fail] of [
    [file, (writer: WritableStreamDefaultWriter) => writer.abort(new Error('enough'))],
    [broken, (writer: WritableStreamDefaultWriter) => writer.close()],
  ] as const) {
    const signals: (AbortSignal | undefined)[] = [];
    class Watched extends WorkerPool {
      override runPrepared: WorkerPool['runPrepared'] = (task, prepare, options) => {
        signals.push(options?.signal);
        return pool.runPrepared(task, prepare, options);
      };
    }
    const sink = new TensorSink({ workers: new Watched(2) });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    await writer.write(source.subarray(0, file.length / 2));
    if (source === broken) await writer.write(source.subarray(file.length / 2)).catch(() => {});
    await fail(writer).catch(() => {});
    await rejects(sink.tensor, Error);
    assert.ok(signals.length > 1);
    assert.ok(signals.every((signal) => signal?.aborted));
  }
});

test.run();

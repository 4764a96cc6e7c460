import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { openModel } from '../../../models/openModel.js';
import type { PlainFile } from '../../../models/plain/plainFile.js';
import { NpyEncoderStream } from '../../../operators/npy.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, TruncatedError, UnsupportedError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../../src/source.js';
import { viewElements } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { countingSource } from '../../helpers/countingSource.js';
import { faultyServer } from '../../helpers/faultyServer.js';
import { encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { collect, until } from '../../helpers/streams.js';
import { TRAINED_FILES } from '../../helpers/trained.js';
import { wholeQuality } from '../../helpers/wholeQuality.js';

const test = suite('the files of a model again');

const original = TRAINED_FILES.layers;
const header = parseSafetensorsHeader(original);
const LARGEST = header.tensors.find(({ name }) => name === 'lstm.0.weight')!;
let file: Uint8Array;

test.before(async () => {
  file = await modelFileOf(original);
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function bytesOf(stream: ReadableStream<Uint8Array> | null): Promise<Buffer> {
  return stream === null ? Buffer.alloc(0) : Buffer.concat(await collect(stream));
}

/** A source that counts the bytes that are read of it. */
function metered(bytes: Uint8Array): RandomAccessSource & { reads: number; bytes: number } {
  const inner = bytesSource(bytes);
  const state = {
    size: inner.size,
    reads: 0,
    bytes: 0,
    stream(options: ByteRangeOptions = {}) {
      const { start = 0, end = bytes.length } = options;
      state.reads += 1;
      state.bytes += end - start;
      return inner.stream(options);
    },
    async read(offset: number, length: number) {
      state.reads += 1;
      state.bytes += length;
      return inner.read(offset, length);
    },
  };
  return state;
}

test('at quality 1, the original by its hash, in a few reads; every range is that of the original', async () => {
  const source = metered(file);
  const model = await openModel(source);
  source.reads = 0;
  const plain = await model.file();
  assert.equal([plain.name, plain.size, plain.quality], ['model.safetensors', original.length, 1]);
  assert.is(source.reads, 0, 'nothing before it is read');
  const bytes = await bytesOf(plain.stream());
  assert.is(sha256(bytes), sha256(original));
  assert.is(source.reads, 1);
  await assertRanges(plain);
  await rejects(plain.read(original.length - 1, 2), TruncatedError);
  // As of every source: before it gives any bytes.
  for (const range of [{ start: original.length + 10 }, { end: original.length + 1 }]) {
    await rejects(plain.stream(range).getReader().read(), TruncatedError, /ends before/);
  }
  await model.close();
});

test('at a lower quality: the header of the original, and tensors as good as is said, for a part of the bytes', async () => {
  const source = metered(file);
  const model = await openModel(source);
  source.bytes = 0;
  const plain = await model.file({ quality: 0.97 });
  const bytes = await bytesOf(plain.stream());
  assert.ok(source.bytes < 0.8 * file.length, `${source.bytes} of ${file.length}`);
  assert.is(bytes.length, original.length);
  assert.ok(bytes.subarray(0, header.byteLength).equals(original.subarray(0, header.byteLength)));
  const quality = await wholeQuality(bytes, original, file);
  assert.ok(plain.quality! >= 0.97 && plain.quality! < 0.999);
  assert.ok(Math.abs(quality - plain.quality!) < 1e-4, `${quality} for ${plain.quality}`);
  const { offset, byteLength } = LARGEST;
  assert.ok(
    bytes.subarray(offset + 5, offset + byteLength).equals(await plain.read(offset + 5, byteLength - 5)),
  );
  // What the model loads meanwhile changes nothing.
  await model.load();
  assert.ok(bytes.equals(await bytesOf(plain.stream())));
});

test('a tensor alone takes its own pieces; its parts, one after another, do not take them again', async () => {
  const source = metered(file);
  const model = await openModel(source);
  source.bytes = 0;
  const plain = await model.file();
  const { offset, byteLength } = LARGEST;
  const part = await plain.read(offset + 1000, 1000);
  assert.ok(Buffer.from(part).equals(original.subarray(offset + 1000, offset + 2000)));
  const { bytes } = source;
  // What came when the model was opened is not read again.
  assert.ok(bytes > byteLength / 2 && bytes <= model.plannedBytes({ tensors: [LARGEST.name] }), `${bytes}`);
  await plain.read(offset + byteLength - 10, 10);
  assert.is(source.bytes, bytes);
  // The header is known.
  await plain.read(0, header.byteLength);
  assert.is(source.bytes, bytes);
});

test('what is complete in the model is not fetched again', async () => {
  const source = metered(file);
  const model = await openModel(source);
  await model.load();
  source.bytes = 0;
  assert.is(sha256(await bytesOf((await model.file()).stream())), sha256(original));
  assert.is(source.bytes, 0);
});

test("'loaded': as the model is now, zeros before; nothing is fetched", async () => {
  const source = metered(file);
  const model = await openModel(source);
  const plain = await model.file({ quality: 'loaded' });
  assert.is(plain.quality, undefined);
  assert.is(await plain.version(), undefined);
  source.bytes = 0;
  const empty = await plain.read(header.byteLength, original.length - header.byteLength);
  assert.ok(empty.every((byte) => byte === 0));
  const loaded = await model.load({ quality: 0.99, as: 'source' });
  const { offset, byteLength, dtype } = LARGEST;
  source.bytes = 0;
  const bytes = await plain.read(offset, byteLength);
  assert.equal(viewElements(dtype, bytes), loaded.get(LARGEST.name)!.data);
  await model.load();
  source.bytes = 0;
  assert.is(sha256(await bytesOf(plain.stream())), sha256(original));
  assert.is(source.bytes, 0);
});

test('responses: whole, ranges, HEAD, none; tags of the quality, and no cache below 1', async () => {
  const model = await openModel(bytesSource(file));
  const plain = await model.file();
  const tag = plain.response().headers.get('etag')!;
  assert.match(tag, /^"[0-9a-f]{16}-1"$/);
  const { length } = original;
  const cases: [string | undefined, number, number, number][] = [
    [undefined, 200, 0, length],
    ['bytes=0-9', 206, 0, 10],
    [`bytes=${length - 5}-`, 206, length - 5, length],
    ['bytes=-7', 206, length - 7, length],
    [`bytes=10-${2 * length}`, 206, 10, length],
    [`bytes=-${2 * length}`, 206, 0, length],
    ['Bytes = 3-3', 206, 3, 4],
    // A server may ignore these.
    ['bytes=0-1,5-6', 200, 0, length],
    ['bytes=9-3', 200, 0, length],
    ['bytes=-', 200, 0, length],
    ['items=0-1', 200, 0, length],
  ];
  for (const [range, status, start, end] of cases) {
    const response = plain.response({ range });
    assert.is(response.status, status, range);
    assert.is(response.headers.get('content-length'), String(end - start));
    assert.is(response.headers.get('etag'), tag);
    assert.is(response.headers.get('cache-control'), null);
    const expected = status === 206 ? `bytes ${start}-${end - 1}/${length}` : null;
    assert.is(response.headers.get('content-range'), expected);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(original.subarray(start, end)), range);
  }
  for (const range of [`bytes=${length}-`, 'bytes=-0']) {
    const response = plain.response({ range });
    assert.equal([response.status, response.headers.get('content-range')], [416, `bytes */${length}`]);
  }
  const head = plain.response({ method: 'HEAD', range: 'bytes=0-1' });
  assert.equal([head.status, head.headers.get('content-length'), head.body], [200, String(length), null]);

  const rough = (await model.file({ quality: 0.9 })).response({ range: 'bytes=0-1' });
  assert.is(rough.headers.get('etag'), tag.replace('-1"', '-0.9"'));
  assert.is(rough.headers.get('cache-control'), 'no-store');
  const loaded = (await model.file({ quality: 'loaded' })).response({ method: 'HEAD' });
  assert.equal([loaded.headers.get('etag'), loaded.headers.get('cache-control')], [null, 'no-store']);
});

test('of several files, the named one; those of shards, too, whatever their sizes', async () => {
  const files = {
    'a.safetensors': modelOf([{ name: 'a', dtype: 'BF16', shape: [64, 80] }]),
    'b.safetensors': modelOf([{ name: 'b', dtype: 'F32', shape: [64, 80] }]),
    'empty.safetensors': modelOf([]),
  };
  const both = await openModel(await encodeToModelFile(files));
  for (const [name, bytes] of Object.entries(files)) {
    const plain = await both.file({ name });
    assert.is(plain.size, bytes.length);
    assert.ok(Buffer.from(bytes).equals(await bytesOf(plain.stream())), name);
  }
  await rejects(both.file(), ArgumentError, /b\.safetensors/);
  await rejects(both.file({ name: 'c' }), ArgumentError, /got c/);
  await rejects(both.file({ name: 'a.safetensors', quality: 2 }), ArgumentError, /'loaded'/);
  // As shards, each from a model file of its own.
  const shards = new Map<string, Uint8Array>();
  for (const name of ['a.safetensors', 'b.safetensors'] as const)
    shards.set(name, await encodeToModelFile({ [name]: files[name] }));
  shards.set(
    'model.safetensors.index.json',
    new TextEncoder().encode('{ "weight_map": { "a": "a.safetensors", "b": "b.safetensors" } }'),
  );
  const sharded = await openModel((name) => shards.get(name));
  for (const name of ['a.safetensors', 'b.safetensors'] as const) {
    const shard = await sharded.file({ name });
    assert.ok(Buffer.from(files[name]).equals(await bytesOf(shard.stream())), name);
  }
  await both.close();
  await rejects(both.file(), ArgumentError, /closed/);
});

test('of a plain file, its own bytes: ranges take no others, and only from what is not here', async () => {
  const source = metered(original);
  const model = await openModel(source);
  assert.equal(model.files, ['model.safetensors']);
  const plain = await model.file();
  assert.equal([plain.name, plain.size, plain.quality], ['model.safetensors', original.length, 1]);
  assert.is(sha256(await bytesOf(plain.stream())), sha256(original));
  source.reads = 0;
  source.bytes = 0;
  // Around the ends of tensors, and within one.
  for (const { offset, byteLength } of header.tensors) {
    const end = Math.min(original.length, offset + byteLength + 3);
    for (const [from, to] of [
      [offset - 5, Math.min(end, offset + 7)],
      [offset + byteLength - 1, end],
    ] as const) {
      source.bytes = 0;
      assert.ok(Buffer.from(original.subarray(from, to)).equals(await plain.read(from, to - from)));
      assert.ok(source.bytes <= 2 * (to - from), `${source.bytes} bytes for ${to - from}`);
    }
  }
  await assertRanges(plain);
  // Bytes in memory have no version, so that responses have no tag.
  assert.equal([await plain.version(), plain.response().headers.get('etag')], [undefined, null]);

  const loaded = await model.file({ quality: 'loaded' });
  const { offset, byteLength } = LARGEST;
  assert.equal(new Uint8Array(await loaded.read(offset + 10, 20)), new Uint8Array(20));
  await model.load({ tensors: [LARGEST.name] });
  source.bytes = 0;
  for (const file of [loaded, plain]) {
    assert.equal(
      Buffer.from(await file.read(offset + 10, 20)),
      Buffer.from(original.subarray(offset + 10, offset + 30)),
    );
    const end = offset + byteLength;
    assert.equal(Buffer.from(await file.read(end - 9, 9)), Buffer.from(original.subarray(end - 9, end)));
  }
  assert.is(source.bytes, 0, 'it is loaded');
});

test('of a plain file on a server, the tag is that of its version; of shards, each file', async () => {
  await using server = await faultyServer(original);
  const remote = await openModel(server.url);
  const plain = await remote.file();
  const tag = plain.response({ method: 'HEAD' }).headers.get('etag');
  assert.match(tag!, /^"[0-9a-f]{16}-1"$/);
  assert.is(`"${await plain.version()}"`, tag);
  assert.is(sha256(await bytesOf(plain.stream())), sha256(original));

  const files = new Map<string, Uint8Array>([
    ['a.safetensors', modelOf([{ name: 'a', dtype: 'BF16', shape: [6, 80] }])],
    ['b.safetensors', modelOf([{ name: 'b', dtype: 'F32', shape: [64, 80] }])],
    [
      'model.safetensors.index.json',
      new TextEncoder().encode('{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}'),
    ],
  ]);
  const shards = await openModel((name) => files.get(name));
  assert.equal(shards.files, ['a.safetensors', 'b.safetensors']);
  for (const name of shards.files) {
    const shard = await shards.file({ name });
    assert.ok(Buffer.from(files.get(name)!).equals(await bytesOf(shard.stream())), name);
  }
});

test('of a model directory, the file that it was made of', async () => {
  const files = new Map<string, Uint8Array>();
  await encodeModel(bytesSource(original), async (name) => {
    const sink = memorySink();
    const close = async () => {
      await sink.close();
      files.set(name, sink.bytes);
    };
    return { ...sink, close };
  });
  const model = await openModel((name) => files.get(name));
  const plain = await model.file();
  assert.match(plain.response().headers.get('etag')!, /^"[0-9a-f]{16}-1"$/);
  assert.is(sha256(await bytesOf(plain.stream())), sha256(original));
  await assertRanges(plain);
});

test('of other models, none: a NumPy file, and what is verified as a whole', async () => {
  const npy = await openModel(
    bytesSource(Uint8Array.of(1))
      .stream()
      .pipeThrough(new NpyEncoderStream('U8', [1])),
  );
  assert.equal(npy.files, []);
  await rejects(npy.file(), UnsupportedError, /no plain one.*got npy/s);
  const verified = await openModel(bytesSource(original), { integrity: sha256(original) });
  await rejects(verified.file(), UnsupportedError, /SHA-256/);
});

test('a model file that ends early: as far as it goes, under a tag of its own', async () => {
  const part = file.subarray(0, file.length >> 1);
  const model = await openModel(part, { partial: true });
  const plain = await model.file();
  assert.ok(plain.quality! > 0.5 && plain.quality! < 1);
  const response = plain.response();
  assert.match(response.headers.get('etag')!, new RegExp(`-${part.length}-1"$`));
  assert.is(response.headers.get('cache-control'), 'no-store');
  assert.is((await response.arrayBuffer()).byteLength, original.length);
});

test('cancelling or aborting a stream ends its request; closing the model ends streams and reads', async () => {
  for (const how of ['cancel', 'abort', 'close stream', 'close read'] as const) {
    let reading: AbortSignal | undefined;
    const source = countingSource(file);
    const model = await openModel({
      ...source,
      // What follows the start of the file never comes.
      stream(options: ByteRangeOptions = {}) {
        if ((options.start ?? 0) === 0) return source.stream(options);
        reading = options.signal;
        return new ReadableStream<Uint8Array>({
          start(controller) {
            options.signal?.addEventListener('abort', () => controller.error(options.signal!.reason));
          },
        });
      },
    });
    const abort = new AbortController();
    const plain = await model.file();
    const range = { start: header.byteLength, signal: abort.signal };
    const reader = plain.stream(range).getReader();
    const first =
      how === 'close read' ? plain.read(range.start, original.length - range.start) : reader.read();
    await until(() => reading !== undefined);
    if (how === 'cancel') {
      await reader.cancel();
      assert.equal(await first, { done: true, value: undefined });
    } else if (how.startsWith('close')) {
      await Promise.all([model.close(), rejects(first, ArgumentError, /the model is closed/)]);
      await rejects(plain.read(0, 1), ArgumentError, /the model is closed/);
    } else {
      abort.abort(new Error('enough'));
      await rejects(first, Error, /enough/);
    }
    assert.ok(reading?.aborted);
  }
});

/** Whatever range is read or streamed, it has the bytes of the original. */
async function assertRanges(plain: PlainFile): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length), fc.nat(original.length), async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const expected = Buffer.from(original.subarray(start, end));
      assert.ok(expected.equals(await plain.read(start, end - start)));
      assert.ok(expected.equals(await bytesOf(plain.stream({ start, end }))));
    }),
    { numRuns: 20 },
  );
}

test('opening a file ends when its signal aborts, as it does when the model is closed', async () => {
  let asked = 0;
  const silent = {
    ...bytesSource(original),
    // Whatever knows the version says nothing, and hears no signal.
    version: () => {
      asked += 1;
      return new Promise<string>(() => {});
    },
  };
  const model = await openModel(silent);
  const enough = new Error('enough');
  await rejects(model.file({ signal: AbortSignal.abort(enough) }), Error, /enough/);
  assert.is(asked, 0);
  const abort = new AbortController();
  const opening = model.file({ signal: abort.signal });
  await until(() => asked === 1);
  abort.abort(enough);
  await rejects(opening, Error, /enough/);
  const last = model.file();
  await until(() => asked === 2);
  await Promise.all([model.close(), rejects(last, ArgumentError, /closed/)]);
});

test.run();

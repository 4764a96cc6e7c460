import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../readers/hctReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { httpSource } from '../../sources/http/httpSource.js';
import { ChecksumError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { pseudoRandomBytes } from '../helpers/random.js';

const test = suite('opening HCT files');

async function hctFile(data: Uint8Array, blockSize = 16384): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'I8', shape: [data.length], blockSize, name: 'weights' });
  await writer.write(data);
  await writer.close();
  return sink.bytes;
}

function watched(bytes: Uint8Array): { source: RandomAccessSource; reads: [number, number][] } {
  const inner = bytesSource(bytes);
  const reads: [number, number][] = [];
  const read: RandomAccessSource['read'] = (offset, length, options) => {
    reads.push([offset, offset + length]);
    return inner.read(offset, length, options);
  };
  return { source: { ...inner, read }, reads };
}

/** What fetch gets: responses to requests for ranges. */
function server(bytes: Uint8Array): { fetch: typeof fetch; requests: string[] } {
  const requests: string[] = [];
  return {
    requests,
    fetch: async (_url, init) => {
      const range = new Headers(init?.headers).get('range')!;
      requests.push(range);
      const [start, last] = /bytes=(\d+)-(\d+)/.exec(range)!.slice(1).map(Number) as [number, number];
      const part = bytes.slice(start, last + 1);
      const headers = { 'content-range': `bytes ${start}-${start + part.length - 1}/${bytes.length}` };
      return new Response(part, { status: 206, headers });
    },
  };
}

test('takes one read of a small file, whose blocks are not read again', async () => {
  const data = pseudoRandomBytes(40_000, 1);
  const { source, reads } = watched(await hctFile(data));
  const reader = await HctReader.open(source);
  assert.is(reader.name, 'weights');
  assert.equal(viewBytes((await reader.readAll()).data), data);
  assert.equal(reads, [[0, source.size]]);
});

test('takes two of others: the first 64 KiB, and what follows the blocks', async () => {
  const data = pseudoRandomBytes(200_000, 2);
  const file = await hctFile(data);
  const { source, reads } = watched(file);
  const reader = await HctReader.open(source);
  assert.is(reads.length, 2);
  assert.equal(reads[0], [0, 65536]);
  assert.is(reads[1]![1], file.length);
  assert.ok(file.length - reads[1]![0] < 200);
  assert.equal(viewBytes((await reader.readAll()).data), data);
});

test('takes one more where the index is longer', async () => {
  const data = pseudoRandomBytes(2 ** 19, 3);
  const { source, reads } = watched(await hctFile(data, 64));
  const reader = await HctReader.open(source);
  assert.is(reads.length, 3);
  assert.equal(viewBytes((await reader.readAll()).data), data);
});

test('takes as many requests of a server, which says only then how long the file is', async () => {
  for (const [length, count] of [
    [40_000, 1],
    [200_000, 2],
  ] as const) {
    const data = pseudoRandomBytes(length, 4);
    const { fetch, requests } = server(await hctFile(data));
    const reader = await HctReader.open(httpSource('https://example.org/w.hct', { fetch }));
    assert.is(requests.length, count, requests.join());
    assert.equal(await reader.read(length - 5, length), data.slice(-5));
    await reader.close();
  }
});

test('opens a file of a stream with what has come of it, and waits for no more', async () => {
  const file = await hctFile(pseudoRandomBytes(40_000, 5));
  // The header, which says what is wrong with it; then nothing.
  file[40]! ^= 1;
  const stalled = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(file.slice(0, 64)),
  });
  await rejects(HctReader.open(stalled), ChecksumError, /^Cannot/);
});

test.run();

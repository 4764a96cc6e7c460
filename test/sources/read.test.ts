import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { httpSource } from '../../sources/index.js';
import { readExactly } from '../../sources/read.js';
import { SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { faultyServer } from '../helpers/faultyServer.js';
import { heldArrayBuffers } from '../helpers/heldMemory.js';

const test = suite('sources: reads of a known length');

/** Gives `count` times the same chunk, then what `end` does. */
function chunks(chunk: Uint8Array, count: number, end: () => void = () => {}): ReadableStream<Uint8Array> {
  let given = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (given++ < count) return controller.enqueue(chunk);
        end();
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

const MiB = 2 ** 20;

test('what arrives is put together, in memory that grows with it', async () => {
  const chunk = new Uint8Array(10 * MiB).map((_, i) => i * 31 + (i >> 8));
  for (const count of [1, 7, 9, 15]) {
    const bytes = await readExactly(chunks(chunk, count), count * chunk.length);
    assert.is(bytes.length, count * chunk.length);
    for (let i = 0; i < count; i++) {
      assert.is(Buffer.compare(bytes.subarray(i * chunk.length, (i + 1) * chunk.length), chunk), 0);
    }
  }
  assert.is((await readExactly(chunks(chunk, 0), 0)).length, 0);
});

test('a claim of gigabytes with hardly a byte behind it reserves no gigabytes', async () => {
  const before = await heldArrayBuffers();
  let reserved = 0;
  const end = () => {
    reserved = process.memoryUsage().arrayBuffers - before;
    throw new SourceError('it broke');
  };
  await rejects(readExactly(chunks(new Uint8Array(256), 1, end), 2 ** 32), SourceError, /it broke/);
  assert.ok(reserved > 0 && reserved < 100 * MiB, `${reserved} bytes reserved`);
});

test('a server that says its file has terabytes, and sends 256 bytes', async () => {
  await using server = await faultyServer(new Uint8Array(256));
  server.fault = () => ({ contentRange: `bytes 0-${2 ** 42 - 1}/${2 ** 42}`, chunked: true });
  const source = httpSource(server.url, { retry: false });
  await rejects(source.read(0, 2 ** 40), SourceError, /body ended early.*got 256/);
});

test('a stream that ends early without an error is one', async () => {
  const short = readExactly(chunks(new Uint8Array(10), 2), 30);
  await rejects(short, TruncatedError, /expected 30 bytes, got 20/);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openShards } from '../../bulk/openFiles.js';
import type { ModelPlace } from '../../models/inputs/placeOnDisk.js';
import { bytesSource } from '../../sources/bytes.js';
import { FormatError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { rejects } from '../helpers/assertions.js';
import { modelOf } from '../helpers/models.js';

/** The files that a bulk conversion reads, opened one after another. */

const test = suite('bulk: files');

const shard = modelOf([{ name: 'w', dtype: 'F32', shape: [200, 200] }]);
/** Bytes that bring the header, and not the whole start. */
const ENOUGH = 20_000;

/** As an object of a bucket: nothing to close, and a stream that ends when it is cancelled. Its rest never comes. */
function stalledObject(cancelled: () => void): RandomAccessSource {
  const stream = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(shard.slice(0, ENOUGH)),
      cancel: cancelled,
    });
  return { size: shard.length, read: bytesSource(shard).read, stream };
}

function placeOf(sources: Record<string, RandomAccessSource>): ModelPlace {
  return { folder: 'bucket/', names: Object.keys(sources), open: async (name) => sources[name]! };
}

test('closed, or given up for an error in another shard: the requests of starts end', async () => {
  let cancelled = 0;
  const stalled = () => stalledObject(() => cancelled++);
  const bad = placeOf({
    a: stalled(),
    b: bytesSource(new TextEncoder().encode('PK\x03\x04, but no archive')),
  });
  await rejects(
    openShards(
      ['a', 'b'].map((name) => [bad, name]),
      undefined,
      {},
    ),
    FormatError,
  );
  assert.is(cancelled, 1);

  const good = placeOf({ a: stalled() });
  const opened = await openShards([[good, 'a']], undefined, {});
  assert.is(cancelled, 1);
  await opened.close();
  assert.is(cancelled, 2);
});

test('a shard that cannot be read is closed, once', async () => {
  let closed = 0;
  const source: RandomAccessSource = {
    ...bytesSource(shard),
    stream: () => {
      throw new FormatError('Cannot read the shard');
    },
    close: async () => {
      closed += 1;
    },
  };
  await rejects(openShards([[placeOf({ a: source }), 'a']], undefined, {}), FormatError);
  assert.is(closed, 1);
});

test.run();

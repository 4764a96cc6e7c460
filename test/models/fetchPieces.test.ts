import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PieceFetcher } from '../../models/fetchPieces.js';
import { type LoadableTensor, sharedFile } from '../../models/inputs/content.js';
import type { PlannedPiece } from '../../models/planning.js';
import { ownMemory } from '../../src/bytes/sharedMemory.js';
import { limitsOf } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';

const test = suite('pieces of a model');

interface Fetched {
  readonly bytes: Uint8Array;
  readonly isOwn: boolean;
}

/** Pieces of these lengths, one after another, from a source that gives these chunks. */
async function fetchFrom(
  given: Uint8Array | readonly Uint8Array[],
  lengths: readonly number[],
): Promise<Fetched[]> {
  const source: Pick<RandomAccessSource, 'stream'> = {
    stream: () =>
      new ReadableStream({
        start(controller) {
          for (const chunk of given instanceof Uint8Array ? [given] : given) controller.enqueue(chunk);
          controller.close();
        },
      }),
  };
  const file = sharedFile(source as RandomAccessSource);
  let offset = 0;
  const pieces = lengths.map((length, piece): PlannedPiece => {
    const planned = { tensor: {} as LoadableTensor, piece, file, offset, length, cosine: 1 };
    offset += length;
    return planned;
  });
  const fetched: Fetched[] = [];
  await new PieceFetcher(pieces, {
    limits: limitsOf(),
    concurrency: 1,
    onBytes: () => {},
    onPiece: async (_, bytes, isOwn) => void fetched.push({ bytes, isOwn }),
    goesOn: () => true,
  }).run();
  return fetched;
}

const SIZE = 2 ** 20;
const LENGTHS = [SIZE / 4, (3 * SIZE) / 4];

test('a small part of a large chunk does not keep all of it', async () => {
  const chunk = Uint8Array.from({ length: SIZE }, (_, i) => i % 251);
  const [small, large] = await fetchFrom(chunk, LENGTHS);
  assert.is(small!.bytes.buffer.byteLength, LENGTHS[0]);
  assert.ok(small!.isOwn);
  assert.equal(small!.bytes, chunk.subarray(0, LENGTHS[0]));
  assert.is(large!.bytes.buffer, chunk.buffer);
  assert.not(large!.isOwn);
});

test('memory of chunks that is ours is freed when all of it has been copied', async () => {
  const bytes = Uint8Array.from({ length: 3 * SIZE }, (_, i) => i % 251);
  const chunksOf = (size: number) =>
    Array.from({ length: bytes.length / size }, (_, i) => bytes.slice(i * size, (i + 1) * size));
  for (const [size, lengths] of [
    // Pieces that straddle chunks; and two within one.
    [SIZE, [SIZE / 4, SIZE / 4, SIZE, SIZE, SIZE / 2]],
    [SIZE / 8, [3 * SIZE]],
    [SIZE / 16, [1000, 2000, 3 * SIZE - 3000]],
  ] as const) {
    for (const isOwn of [true, false]) {
      const chunks = chunksOf(size);
      if (isOwn) for (const { buffer } of chunks) ownMemory.add(buffer);
      const fetched = await fetchFrom(chunks, lengths);
      assert.equal(Uint8Array.from(fetched.flatMap((piece) => [...piece.bytes])), bytes);
      // The last chunk has no successor, which frees it.
      const freed = chunks.slice(0, -1).map(({ length }) => length === 0);
      assert.equal(
        freed,
        freed.map(() => isOwn),
      );
    }
  }
});

test('parts of memory that stays, and of small chunks, are not copied', async () => {
  const memory = new Uint8Array(SIZE + 1);
  for (const { bytes, isOwn } of await fetchFrom(memory.subarray(1), LENGTHS)) {
    assert.is(bytes.buffer, memory.buffer);
    assert.not(isOwn);
  }
  const chunk = new Uint8Array(1024);
  const [first] = await fetchFrom(chunk, [16, 1008]);
  assert.is(first!.bytes.buffer, chunk.buffer);
});

test.run();

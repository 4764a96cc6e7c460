import { constants, inflateRawSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ChecksumError, FormatError, LimitError } from '../../../src/errors.js';
import { npyHeader } from '../../../src/npy/header.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { rejects } from '../../helpers/assertions.js';
import { concatBytes } from '../../helpers/bytes.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { zipOf } from '../../helpers/zips.js';

const test = suite('what a zip archive may cause');

/** An array of numbers that are all zero but the last. */
function npy(length: number): Uint8Array {
  return concatBytes([npyHeader('U8', [length]), new Uint8Array(length - 1), Uint8Array.of(7)]);
}

/** Counts bytes that are read of a source. */
function counted(source: RandomAccessSource) {
  const count = { bytes: 0 };
  const read: RandomAccessSource['read'] = (offset, length, options) => {
    count.bytes += length;
    return source.read(offset, length, options);
  };
  return { count, source: { ...source, read } };
}

const array = { name: 'a.npy', bytes: npy(1000), isDeflated: true };

test('files that share bytes are refused', async () => {
  const twice = zipOf([array], [0, 0]);
  await rejects(openForeignModel(bytesSource(twice)), FormatError, /overlaps what follows it/);
  const nested = zipOf([array, { name: 'b.npy', bytes: zipOf([array]) }]);
  const within = [1, 2, 3].reduce((at) => Buffer.from(nested).indexOf('PK\x03\x04', at + 1), -1);
  assert.ok(within > 0);
  // The first file of the directory is now the one within the second.
  const directory = Buffer.from(nested).lastIndexOf('a.npy') - 46;
  new DataView(nested.buffer).setUint32(directory + 42, within, true);
  await rejects(openForeignModel(bytesSource(nested)), FormatError, /overlaps what follows it/);
});

test('opening inflates the beginning of an array only', async () => {
  const length = 2 ** 20;
  // Numbers that deflate little.
  const noise = Uint8Array.from({ length }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const bytes = concatBytes([
    npyHeader('U8', [length]),
    noise.map((byte, i) => byte ^ noise[(i * i) % length]!),
  ]);
  const archive = zipOf([{ name: 'a.npy', bytes, isDeflated: true }]);
  assert.ok(archive.length > 2 ** 18);
  const { count, source } = counted(bytesSource(archive));
  await openForeignModel(source, { name: 'm.npz' });
  assert.ok(count.bytes < 2 ** 18, `${count.bytes}`);
});

test('the beginning is there also where the engine comes to the cut end before it is read', async () => {
  const { DecompressionStream } = globalThis;
  const bytes = concatBytes([npyHeader('U8', [2 ** 20]), pseudoRandomBytes(2 ** 20)]);
  const archive = zipOf([{ name: 'a.npy', bytes, isDeflated: true }]);
  globalThis.DecompressionStream = EagerInflater as unknown as typeof DecompressionStream;
  try {
    const { files } = await openForeignModel(bytesSource(archive), { name: 'm.npz' });
    assert.is(files.length, 1);
  } finally {
    globalThis.DecompressionStream = DecompressionStream;
  }
});

/** Inflates when it has all input, in chunks as those of Node, and says at once that the end is missing. */
class EagerInflater extends TransformStream<Uint8Array, Uint8Array> {
  constructor() {
    const input: Uint8Array[] = [];
    super({
      transform: (chunk) => void input.push(chunk),
      flush: (controller) => {
        const all = inflateRawSync(concatBytes(input), { finishFlush: constants.Z_SYNC_FLUSH });
        for (let at = 0; at < all.length; at += 2 ** 14) controller.enqueue(all.subarray(at, at + 2 ** 14));
        controller.error(new TypeError('the end is missing'));
      },
    });
  }
}

test('an array that is compressed is inflated once for reads that follow in it', async () => {
  const archive = zipOf([array, { ...array, name: 'b.npy' }]);
  const { count, source } = counted(bytesSource(archive));
  const { files } = await openForeignModel(source, { name: 'm.npz' });
  const file = files[0]!.source;
  const start = file.size! - 2000;
  count.bytes = 0;
  for (let i = 0; i < 2000; i++) {
    const [byte] = await file.read(start + i, 1);
    assert.is(byte, i % 1000 === 999 ? 7 : 0);
  }
  assert.ok(count.bytes < archive.length, `${count.bytes}`);
});

test('a file is no larger than its bytes in the archive pay for', async () => {
  const archive = zipOf([{ name: 'a.npy', bytes: npy(2 ** 26 + 2 ** 20), isDeflated: true }]);
  await rejects(
    openForeignModel(bytesSource(archive), { limits: { ratio: 2 } }),
    LimitError,
    /limits\.ratio/,
  );
  const { close } = await openForeignModel(bytesSource(archive));
  await close();
});

test('a file that does not match its CRC-32 is refused when it is read whole', async () => {
  const open = async (crc32: number) => {
    const { files } = await openForeignModel(bytesSource(zipOf([{ ...array, crc32 }])));
    const { source } = files[0]!;
    return source.read(0, source.size!);
  };
  await rejects(open(1), ChecksumError, /does not match its checksum/);
  assert.is((await open(0)).at(-1), 7);
});

test('a file that ends before its header does is refused', async () => {
  const archive = zipOf([array]);
  const size = Buffer.from(archive).lastIndexOf('a.npy') - 46 + 24;
  new DataView(archive.buffer).setUint32(size, 100_000, true);
  await rejects(openForeignModel(bytesSource(archive)), FormatError, /Cannot inflate a file/);
});

test.run();

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import * as main from '../../index.js';
import * as node from '../../node.js';
import * as sinks from '../../sinks/index.js';
import type { BytesLike } from '../../src/bytes/binary.js';
import { temporaryFolder } from '../helpers/cli.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { aheadOfSink, type Case, type SlowSink } from './measure.js';

/** What takes bytes: sinks, and writers of files to them. */

const CHUNK = 2 ** 14;
/** Writers join blocks up to this before they write them. */
const BATCH = 2 ** 18;
const ITEMS: readonly BytesLike[] = Array.from({ length: 256 }, (_, i) => pseudoRandomBytes(CHUNK, i + 1));
const SIZE = CHUNK * ITEMS.length;
const HCT_OPTIONS = { dtype: 'I8', shape: [SIZE] } as const;

export const SINK_CASES: readonly Case[] = [
  sink('sinkStream', CHUNK, (slow) => sinks.sinkStream(slow)),
  sink('streamSink', CHUNK, (slow) => sinks.sinkStream(sinks.streamSink(sinks.sinkStream(slow)))),
  // The batch, the block that did not fit in, and the chunk that it came with.
  sink('new HctSink', BATCH + 4 * CHUNK, (slow) => new sinks.HctSink(slow, HCT_OPTIONS)),
  sink('new HctWriter', BATCH + 4 * CHUNK, (slow) => {
    const writer = new sinks.HctWriter(slow, HCT_OPTIONS);
    return new WritableStream<BytesLike>({
      write: (chunk) => writer.write(chunk),
      abort: () => writer.abort(),
    });
  }),
  sink('SafetensorsWriter#writable', 2 * CHUNK, async (slow) => {
    const opening = sinks.SafetensorsWriter.open(slow, [{ name: 'w', dtype: 'U8', shape: [SIZE] }]);
    // The header is written first.
    while (slow.written === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      slow.go();
    }
    return (await opening).writable('w');
  }),
  { of: 'fileSink', bound: CHUNK, peak: () => aheadOfDisk((path) => node.fileSink(path)) },
  {
    of: 'ModelFolderSink#openFile',
    bound: CHUNK,
    peak: () =>
      aheadOfDisk(async (path) => {
        const folder = await node.modelFolderSink(path);
        return folder.openFile('w.bin');
      }),
  },
];

function sink(
  name: string,
  bound: number,
  make: (slow: SlowSink) => WritableStream<BytesLike> | Promise<WritableStream<BytesLike>>,
): Case {
  return { of: name, bound, peak: () => aheadOfSink(make, ITEMS, ({ byteLength }) => byteLength) };
}

/** Writes to any file wait for the test, by the method of all handles. */
async function aheadOfDisk(openSink: (path: string) => Promise<main.SeekableSink>): Promise<number> {
  const folder = temporaryFolder();
  const handle = await open(join(folder, 'other'), 'w');
  const methods: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const { write } = methods;
  const file = await openSink(join(folder, 'file'));
  try {
    return await aheadOfSink(
      (slow) => {
        methods.write = async function (this: FileHandle, bytes: Uint8Array, ...rest: unknown[]) {
          await slow.write(bytes);
          return Reflect.apply(write, this, [bytes, ...rest]);
        } as FileHandle['write'];
        return main.sinkStream(file);
      },
      ITEMS,
      ({ byteLength }) => byteLength,
    );
  } finally {
    methods.write = write;
    await file.abort();
  }
}

/**
 * Run as a program of its own, so that its peak memory is its own: makes a file of FOLDER/in.raw of SIZE bytes on
 * the fly, encodes and decodes it file to file, compares, and prints the peak memory in bytes.
 */
import { strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressFile, decompressFile } from '../../readers/hctFiles.js';
import { fileSink } from '../../sinks/file.js';
import { sinkStream } from '../../sinks/streams.js';
import { fileSource } from '../../sources/file.js';
import { streamSource } from '../../sources/stream.js';

const [folder, sizeArgument] = process.argv.slice(2) as [string, string];
const size = Number(sizeArgument);
const CHUNK = 1 << 20;

/** The buffer of all chunks: the garbage of this program must not count as the library's. */
const words = new Uint32Array(CHUNK / 4);

/** Chunk `i` of the content: different everywhere, and compressible to about half. Valid until the next one. */
function chunk(i: number): Uint8Array {
  let state = (i + 1) * 0x9e3779b9;
  for (let at = 0; at < words.length; at++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 1;
    words[at] = (at & 3) === 0 ? state : i;
  }
  return new Uint8Array(words.buffer);
}

function* content(): Iterable<Uint8Array> {
  for (let i = 0; i < size / CHUNK; i++) yield chunk(i);
}

const [raw, encoded, decoded] = ['in.raw', 'tensor.hct', 'out.raw'].map((name) => join(folder, name));
await streamSource(content())
  .stream()
  .pipeTo(sinkStream(await fileSink(raw!)));
const stats = await compressFile(raw!, encoded!, { dtype: 'F32', shape: [size / CHUNK, CHUNK / 4] });
strictEqual(stats.originalSize, size);

await decompressFile(encoded!, decoded!);

const result = await fileSource(decoded!);
strictEqual(result.size, size);
for (let i = 0; i < size / CHUNK; i++) {
  strictEqual(Buffer.compare(await result.read(i * CHUNK, CHUNK), chunk(i)), 0, `chunk ${i}`);
}
await result.close();

// Not resourceUsage().maxRSS: Linux counts into it the memory of the process that this one was forked from.
const [, peakKilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
console.log(String(Number(peakKilobytes) * 1024));

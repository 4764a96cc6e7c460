import { fileSink } from '../sinks/file.js';
import { sinkStream } from '../sinks/streams.js';
import { streamSource } from '../sources/stream.js';
import type { AbortOptions } from '../src/source.js';
import { STANDARD } from './files.js';

/** Writes all chunks to a file, which appears only when it is complete, or to standard output. */
export async function writeOutput(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { signal }: AbortOptions,
): Promise<void> {
  const target = path === STANDARD ? standardOutput() : sinkStream(await fileSink(path));
  await streamSource(chunks).stream({ signal }).pipeTo(target);
}

/** Not closed at the end: it belongs to the process. `main.ts` handles its errors. */
function standardOutput(): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) => new Promise((resolve) => process.stdout.write(chunk, () => resolve())),
  });
}

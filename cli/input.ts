import { bytesSource } from '../sources/bytes.js';
import { fileSource } from '../sources/file.js';
import { streamSource } from '../sources/stream.js';
import { LimitError } from '../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../src/source.js';

/** The path that means standard input or output. */
export const STANDARD = '-';

/** What standard input may hold where its bytes are not needed in order, and so must stay in memory. */
const MAX_BUFFERED_INPUT = 2 ** 30;

/** A file, or standard input as far as it fits memory. */
export async function openInput(path: string, signal: AbortSignal): Promise<RandomAccessSource> {
  return path === STANDARD ? bytesSource(await readStandardInput(signal)) : fileSource(path);
}

/** Standard input as a stream, read once and in order. */
export function standardInput(): ByteSource {
  return streamSource(process.stdin);
}

async function readStandardInput(signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of standardInput().stream({ signal })) {
    length += piece.length;
    if (length > MAX_BUFFERED_INPUT) {
      throw new LimitError('standard input does not fit memory; name a file', {
        expected: `at most ${MAX_BUFFERED_INPUT} bytes`,
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

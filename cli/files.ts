import { stat } from 'node:fs/promises';
import { type FileSink, fileSink, removeLeftovers } from '../sinks/file.js';
import { sinkStream } from '../sinks/streams.js';
import { bytesSource } from '../sources/bytes.js';
import type { SourceEvent } from '../sources/events.js';
import { argumentPlace } from '../sources/hub.js';
import type { Place } from '../sources/place.js';
import { readWhole } from '../sources/read.js';
import { streamSource } from '../sources/stream.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { LimitError } from '../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../src/source.js';
import { describeFailure } from './failure.js';
import { standardOutput, tell } from './terminal.js';

/** The path that means standard input or output. */
export const STANDARD = '-';

/** What messages call it. */
export const STANDARD_INPUT = 'standard input';

/** Most bytes of standard input that are kept in memory, for formats that are not read in order: 1 GiB. */
const MAX_BUFFERED_INPUT = 2 ** 30;

/** The place that an argument names. What a server makes wait is said. */
export function placeOfArgument(name: string): Place {
  return argumentPlace(name, { onEvent: tellRetry });
}

function tellRetry(event: SourceEvent): void {
  if (event.type !== 'retry') return;
  const seconds = (event.delay / 1000).toFixed(1);
  tell(`holostream: ${describeFailure(event.error).message}; trying again in ${seconds} s`);
}

/** A file that a command reads; disposing of it closes it. */
export interface InputFile extends RandomAccessSource, AsyncDisposable {}

/** Opens a file by its path, its URL or its name on a hub, or standard input if it fits in memory. */
export async function openInput(name: string, { signal }: AbortOptions): Promise<InputFile> {
  if (name === STANDARD) return bufferedInput(standardInput(), { signal });
  const source = await placeOfArgument(name).open();
  return Object.assign(source, { [Symbol.asyncDispose]: async () => source.close?.() });
}

/** Standard input as a stream, read once and in order. */
export function standardInput(): ByteSource {
  return streamSource(process.stdin);
}

/**
 * All of standard input in memory.
 * @throws LimitError when it is larger than the cap
 */
export async function bufferedInput(input: ByteSource, { signal }: AbortOptions): Promise<InputFile> {
  const expected = `at most ${MAX_BUFFERED_INPUT} bytes`;
  const tooLarge = () =>
    new LimitError('Cannot read standard input: it does not fit in memory; name a file', { expected });
  const bytes = await readWhole(input, MAX_BUFFERED_INPUT, tooLarge, { signal });
  return { ...bytesSource(bytes), name: STANDARD_INPUT, [Symbol.asyncDispose]: async () => {} };
}

/** The first `length` bytes (or fewer at the end), and the whole input, still with them. */
export async function peek(
  input: ByteSource,
  length: number,
  { signal }: AbortOptions,
): Promise<{ readonly start: Uint8Array; readonly input: ByteSource }> {
  const chunks = input.stream({ signal })[Symbol.asyncIterator]();
  let start = new Uint8Array(0);
  while (start.length < length) {
    const { done, value } = await chunks.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const whole = async function* () {
    yield start;
    yield* chunks;
  };
  return { start: start.subarray(0, length), input: streamSource(whole()) };
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The sink of an output file. What killed runs have left of it is deleted. */
export async function openOutput(path: string): Promise<FileSink> {
  await clearLeftovers(path);
  return fileSink(path);
}

/** Deletes what killed runs have left of an output file, and says so. */
export async function clearLeftovers(path: string): Promise<void> {
  for (const leftover of await removeLeftovers(path)) tellLeftover(leftover, 'removed');
}

const ACTIONS = {
  removed: 'removed it',
  restored: 'put the older model back',
  kept: 'keeping it, because it holds something else or cannot be deleted',
} as const;

/** Says what an earlier run had left, and what became of it. */
export function tellLeftover(path: string, action: keyof typeof ACTIONS): void {
  tell(`holostream: found what an earlier run had left (${path}): ${ACTIONS[action]}`);
}

/** Writes all chunks to a file, which appears only when it is complete, or to standard output. */
export async function writeOutput(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { signal }: AbortOptions,
): Promise<void> {
  const target = path === STANDARD ? standardOutput() : sinkStream(await openOutput(path));
  await streamSource(chunks).stream({ signal }).pipeTo(target);
}

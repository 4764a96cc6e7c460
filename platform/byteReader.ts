import { asBytes, type BytesLike, bytesOf } from '../src/bytes/binary.js';
import { ArgumentError, SourceError } from '../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../src/source.js';

/**
 * Anything that gives bytes from start to end: a ReadableStream of any implementation, a Response, a Blob or File, a
 * handle of a file in a browser, a source, a Readable of Node, an iterable of chunks, bytes in memory, and what has only
 * `arrayBuffer()`. The body of a response may be null.
 */
export type ByteStreamLike =
  | ReadableStream<BytesLike>
  | Response
  | Blob
  | FileHandleLike
  | ByteSource
  | AsyncIterable<BytesLike>
  | Iterable<BytesLike>
  | BytesLike
  | { arrayBuffer(): Promise<ArrayBufferLike> }
  | null;

/**
 * What a file is read from: a source, or anything that bytes come from. A string that begins with a scheme and `://`,
 * or with `file:`, is a URL; any other is a path in Node, Deno and Bun, and in browsers relative to the page or worker.
 * What can only be read from start to end (a stream, a response) is kept in memory as it arrives, up to 1 GiB.
 */
export type SourceInput = RandomAccessSource | ByteStreamLike | string | URL;

/** What a `FileSystemFileHandle` has: from a picker, a drop, or the origin-private file system. */
export interface FileHandleLike {
  /** The file as it is now. */
  getFile(): Promise<Blob>;
}

/** Reads chunks one by one; `pullStream` turns it into a ReadableStream. */
export interface ChunkReader<T = Uint8Array> {
  /** The next chunk, or undefined at the end. Never called while a call is under way. */
  next(): Promise<T | undefined>;
  /** Releases everything; called once, at the end, on failure, when cancelled or aborted, maybe during `next`. */
  close?(reason?: unknown): void | Promise<void>;
}

/**
 * The chunks of anything that gives bytes. Nothing is read before the first call of `next`.
 * @throws SourceError for a response with an error status or without a body, and for null
 * @throws ArgumentError for anything else, such as a URL or a promise that was not awaited, and from `next` for chunks
 *   that are not bytes
 */
export function byteReader(input: ByteStreamLike): ChunkReader {
  const chunks = openChunks(input);
  return {
    next: async () => {
      const chunk = await chunks.next();
      return chunk === undefined ? undefined : asBytes(chunk as BytesLike);
    },
    close: (reason) => chunks.close?.(reason),
  };
}

/** What the inputs have, each some of it. */
interface Given {
  readonly body?: unknown;
  readonly ok?: boolean;
  readonly status?: number;
  readonly url?: string;
  getReader?(): ReadableStreamDefaultReader<unknown>;
  readonly locked?: boolean;
  getFile?(): Promise<Blob>;
  stream?(): unknown;
  arrayBuffer?(): Promise<unknown>;
  [Symbol.asyncIterator]?(): AsyncIterator<unknown>;
  [Symbol.iterator]?(): Iterator<unknown>;
  /** Of Node's streams. */
  destroy?(): void;
}

/**
 * The chunks of a stream of anything, or of what gives bytes.
 * @throws SourceError, ArgumentError as {@link byteReader}
 */
export function openChunks(input: unknown): ChunkReader<unknown> {
  const bytes = bytesOf(input);
  if (bytes !== undefined) return iterated([bytes]);
  // In some engines without streams, responses have no `body`.
  if (input === null || input === undefined) throw noBody({});
  const given = (typeof input === 'object' ? input : {}) as Given;
  if (given.getReader) return streamed(given);
  if ('body' in given && ('status' in given || 'bodyUsed' in given)) return openBody(given);
  if (given.getFile) return later(() => given.getFile!());
  if (given.stream) return openChunks(given.stream());
  if (Symbol.asyncIterator in given || Symbol.iterator in given) return iterated(given);
  if (given.arrayBuffer) return later(() => given.arrayBuffer!());
  const expected = 'a ReadableStream or a Response, such as await fetch(url)';
  throw new ArgumentError('Cannot read from this argument', { expected, actual: input });
}

function openBody(response: Given): ChunkReader<unknown> {
  const { ok, status, url: name, body } = response;
  if (ok === false) {
    throw new SourceError(`Cannot read the response: the server sent status ${status}`, { name, status });
  }
  // React Native has no streams: its bodies come as a whole.
  if (body === undefined && response.arrayBuffer) return later(() => response.arrayBuffer!());
  if (body === null || body === undefined) throw noBody(response);
  return openChunks(body);
}

function noBody({ status }: Given): SourceError {
  const known = status === undefined ? '' : ` (status ${status})`;
  return new SourceError(`Cannot read the response: it has no body${known}`, { status });
}

/** Not every engine iterates streams (Chrome before 124, Safari), so they are read by hand. */
function streamed(stream: Given): ChunkReader<unknown> {
  if (stream.locked) throw new ArgumentError('Cannot read the stream: another reader or pipe has it');
  const reader = stream.getReader!();
  return {
    next: async () => (await reader.read()).value,
    close(reason) {
      // On a stream that has ended or failed, cancelling does nothing, or repeats the error already delivered.
      const cancelled = reader.cancel(reason);
      reader.releaseLock();
      return cancelled;
    },
  };
}

function iterated(origin: Given | Iterable<unknown>): ChunkReader<unknown> {
  const given = origin as Given;
  const iterator = given[Symbol.asyncIterator]?.() ?? given[Symbol.iterator]!();
  let state: 'idle' | 'waiting' | 'ended' = 'idle';
  return {
    async next() {
      state = 'waiting';
      const { done, value } = await iterator.next();
      state = done ? 'ended' : 'idle';
      return done ? undefined : value;
    },
    async close() {
      if (state === 'ended') return;
      // A Node stream's iterator closes the stream only after it has given a chunk, and not while it waits.
      given.destroy?.();
      const returned = Promise.resolve(iterator.return?.());
      // A generator that waits ends only when its own promise settles: do not wait for that.
      if (state === 'waiting') returned.catch(() => {});
      else await returned;
    },
  };
}

/** Chunks of what is asked for with the first of them. */
function later(open: () => Promise<unknown>): ChunkReader<unknown> {
  let opened: Promise<ChunkReader<unknown>> | undefined;
  let closed = false;
  return {
    async next() {
      opened ??= open().then(openChunks);
      const chunks = await opened;
      return closed ? undefined : chunks.next();
    },
    async close(reason) {
      closed = true;
      // A stream that is still being opened is closed as soon as it is open. Nothing waits for that.
      opened?.then((chunks) => chunks.close?.(reason)).catch(() => {});
    },
  };
}

/** Sources and sinks of bytes, as the core sees them; `sources/` and `sinks/` implement them. */

import { ArgumentError } from './errors.js';

export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ByteRangeOptions extends AbortOptions {
  /** First byte, counted from 0. Default 0. */
  readonly start?: number | undefined;
  /** One past the last byte. Default: the end of the source. */
  readonly end?: number | undefined;
}

export interface ByteSource {
  /** Total bytes; `undefined` as long as they are unknown (before the first request to a server; a plain stream). */
  readonly size: number | undefined;
  /** The bytes of a range as a stream. Cancelling it, or aborting `signal`, ends the request or file read. */
  stream(options?: ByteRangeOptions): ReadableStream<Uint8Array>;
}

/** A source that also reads any range. `size` is known after the first read at the latest. */
export interface RandomAccessSource extends ByteSource {
  /**
   * Exactly `length` bytes from `offset`.
   * @throws TruncatedError when the source ends before `offset + length`
   */
  read(offset: number, length: number, options?: AbortOptions): Promise<Uint8Array>;
  /**
   * A text that changes when the bytes change, such as the URL with an ETag; undefined when the source has none. Caches
   * that outlive the source use it as their key.
   */
  version?(options?: AbortOptions): Promise<string | undefined>;
  /** Releases the file handle or connection, if there is one. */
  close?(): Promise<void>;
}

/** A sink that takes bytes at any position. Nothing is visible to others before `close` has resolved. */
export interface SeekableSink {
  /** Writes all of `bytes` at `position`; the sink is done with `bytes` when the promise resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes the written bytes final. */
  close(): Promise<void>;
  /** Discards the written bytes. */
  abort(reason?: unknown): Promise<void>;
}

/** Discards what a sink has taken, because of an error: it is that one that counts, even if the sink fails once more. */
export async function discard(sink: Pick<SeekableSink, 'abort'>, error: unknown): Promise<void> {
  try {
    await sink.abort(error);
  } catch {}
}

/** @throws ArgumentError for what is passed in place of a source: a path, a response, a promise that was not awaited */
export function assertSource(source: RandomAccessSource): void {
  if (typeof source?.read === 'function') return;
  const expected = 'a source, such as httpSource(url) or await fileSource(path)';
  throw new ArgumentError('Cannot read from this argument', { expected, actual: source });
}

/** @throws ArgumentError for what is passed in place of a sink */
export function assertSink(sink: SeekableSink): void {
  if (typeof sink?.write === 'function' && typeof sink.abort === 'function') return;
  const expected = 'a sink, such as memorySink() or await fileSink(path)';
  throw new ArgumentError('Cannot write to this argument', { expected, actual: sink });
}

/** Writers join small pieces up to this size, because a file system call costs more than a copy of 256 KiB. */
export const SINK_BATCH_SIZE = 2 ** 18;

/** Sources and sinks of bytes, as the core sees them; `sources/` and `sinks/` implement them. */

import type { AbortOptions } from './checks/abortOptions.js';
import { check, having, type Rule } from './checks/options.js';

export interface ByteRangeOptions extends AbortOptions {
  /** First byte, counted from 0. Default 0. */
  readonly start?: number | undefined;
  /** One past the last byte. Default: the end of the source. */
  readonly end?: number | undefined;
}

/** How a range is read. */
export interface ReadOptions extends AbortOptions {
  /**
   * Memory of as many bytes as are read. A source may fill it and give it out, in place of memory of its own, because new
   * memory costs more than reading a file into it. It is the caller's, and holds nothing if the read fails.
   */
  readonly into?: Uint8Array | undefined;
}

/** Where bytes come from, as a stream; {@link RandomAccessSource} also reads parts. */
export interface ByteSource {
  /** Total bytes; `undefined` as long as they are unknown (before the first request to a server; a plain stream). */
  readonly size: number | undefined;
  /** The bytes of a range as a stream. Cancelling it, or aborting `signal`, ends the request or file read. */
  stream(options?: ByteRangeOptions): ReadableStream<Uint8Array>;
}

/** A source that also reads any range. `size` is known after the first read at the latest. */
export interface RandomAccessSource extends ByteSource {
  /** What the source is, such as its URL: known without asking for it. Caches find it by this when it cannot be asked. */
  readonly id?: string | undefined;
  /** What messages call it, such as its path. Default: the `id`. */
  readonly name?: string | undefined;
  /**
   * Exactly `length` bytes from `offset`.
   * @throws TruncatedError when the source ends before `offset + length`
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>;
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

/** What messages call a source; undefined where it has no name. */
export function sourceName({ name, id }: Pick<RandomAccessSource, 'name' | 'id'>): string | undefined {
  return name ?? id;
}

/** Discards what a sink has taken, because of an error: it is that one that counts, even if the sink fails once more. */
export async function discard(sink: Pick<SeekableSink, 'abort'>, error: unknown): Promise<void> {
  try {
    await sink.abort(error);
  } catch {}
}

export const SOURCE: Rule<RandomAccessSource> = /* @__PURE__ */ having(
  'read',
  'a source, such as httpSource(url) or await fileSource(path)',
);

/** The writer of a stream has both methods, too, but takes no positions: only its stream is known, by `streamSink`. */
const SINK: Rule<SeekableSink> = (sink) =>
  (typeof (sink as SeekableSink | null)?.write !== 'function' ||
    typeof (sink as SeekableSink).abort !== 'function') &&
  'a sink, such as memorySink() or await fileSink(path)';

/** @throws ArgumentError for what is passed in place of a source: a path, a response, a promise that was not awaited */
export function assertSource(source: RandomAccessSource): void {
  check('source', source, SOURCE);
}

/** @throws ArgumentError for what is passed in place of a sink */
export function assertSink(sink: SeekableSink): void {
  check('sink', sink, SINK);
}

/** Writers join small pieces up to this size, because a file system call costs more than a copy of 256 KiB. */
export const SINK_BATCH_SIZE = 2 ** 18;

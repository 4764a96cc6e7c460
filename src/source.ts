/** Where bytes come from. Implementations live in `sources/`; the core only knows these shapes. */

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
  /** Total bytes; `undefined` as long as the source does not know (a server not asked yet, a plain stream). */
  readonly size: number | undefined;
  /** The bytes of a range as a stream. Cancelling it, or aborting `signal`, ends the request or file read. */
  stream(options?: ByteRangeOptions): ReadableStream<Uint8Array>;
}

/** A source that also gives any range on request. `size` is known at the latest after the first read. */
export interface RandomAccessSource extends ByteSource {
  /**
   * Exactly `length` bytes from `offset`.
   * @throws TruncatedError when the source ends before `offset + length`
   */
  read(offset: number, length: number, options?: AbortOptions): Promise<Uint8Array>;
  /**
   * Text that is the same only as long as the bytes are, such as an ETag with the URL; undefined when the source
   * has nothing to tell by. What is kept beyond the life of the source (a cache) is kept under it.
   */
  version?(options?: AbortOptions): Promise<string | undefined>;
  /** Releases the file handle or connection, where there is one. */
  close?(): Promise<void>;
}

/** Where bytes go that are not written in order. Nothing is visible to others before `close` has resolved. */
export interface SeekableSink {
  /** Writes all of `bytes` at `position`; the sink is done with `bytes` when the promise resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written final. */
  close(): Promise<void>;
  /** Throws away what was written. */
  abort(reason?: unknown): Promise<void>;
}

/** Writers join small pieces before they write them to a sink: a file system call costs more than a copy of 256 KiB. */
export const SINK_BATCH_SIZE = 2 ** 18;

import { BaseWritableStream } from '../operators/streamClasses.js';
import { asBytes, type BytesLike } from '../src/bytes/binary.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { callback, checkOptions, type Rules } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { HCT_ENCODE_RULES, HctBlockEncoder, type HctEncodeOptions } from '../src/hct/encoder.js';
import { planHctHeader } from '../src/hct/plan.js';
import { loadHctWriteTools } from '../src/hct/tools.js';
import { assertSink, discard, type SeekableSink, SINK_BATCH_SIZE } from '../src/source.js';
import { withResult } from './result.js';

export interface HctWriterOptions extends HctEncodeOptions, AbortOptions {
  /** Called after every write with the bytes of the tensor taken so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export const HCT_WRITER_RULES: Rules<HctWriterOptions> = {
  ...HCT_ENCODE_RULES,
  ...ABORT_RULES,
  onProgress: callback,
};

/** What became of a tensor. Sizes in bytes. */
export interface HctCompressionStats {
  readonly originalSize: number;
  /** All blocks, without header and index. */
  readonly compressedSize: number;
  readonly fileSize: number;
  readonly blockCount: number;
  /** `originalSize / fileSize`; 1 for an empty tensor. */
  readonly ratio: number;
}

/**
 * Writes one tensor, of any size, to a sink that can seek: blocks as they fill up, header and index last, since
 * their size follows from the shape. Memory: one block, one batch and the index.
 *
 * @example
 * const writer = new HctWriter(memorySink(), { dtype: 'F32', shape: [2, 3] });
 * await writer.write(new Uint8Array(24));
 * const stats = await writer.close();
 */
export class HctWriter {
  readonly #sink: SeekableSink;
  readonly #options: HctWriterOptions;
  #encoder: HctBlockEncoder | undefined;
  /** Blocks that wait to be written together: one buffer that is used again, as garbage would add up. */
  readonly #batch = new Uint8Array(SINK_BATCH_SIZE);
  #filled = 0;
  /** Where the batch goes. */
  #position = 0;
  #bytesIn = 0;
  #ended = false;

  /** @throws ArgumentError, UnsupportedError, LimitError when no such file can be written */
  constructor(sink: SeekableSink, options: HctWriterOptions) {
    assertSink(sink);
    planHctHeader(checkOptions(options, HCT_WRITER_RULES));
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Takes the next bytes of the tensor, row-major, in pieces of any size. One call at a time. After an error, the sink
   * has been aborted and the writer cannot be used any more.
   */
  async write(input: BytesLike): Promise<void> {
    await this.#guard(async () => {
      const chunk = asBytes(input);
      const encoder = await this.#ready();
      for (const block of encoder.push(chunk)) await this.#append(block);
      this.#bytesIn += chunk.length;
      this.#options.onProgress?.(this.#bytesIn, encoder.header.originalSize);
    });
  }

  /** Writes what is left, then the index and the header, and makes the file final. */
  async close(): Promise<HctCompressionStats> {
    return this.#guard(async () => {
      const encoder = await this.#ready();
      const { head, tail } = encoder.finish();
      await this.#append(tail);
      await this.#writeBatch();
      await this.#sink.write(head, 0);
      await this.#sink.close();
      this.#ended = true;
      const { originalSize, compressedSize, blockCount } = encoder.header;
      const fileSize = head.length + compressedSize + tail.length;
      const ratio = originalSize === 0 ? 1 : originalSize / fileSize;
      return { originalSize, compressedSize, fileSize, blockCount, ratio };
    });
  }

  /** Gives up: nothing of the file remains. */
  async abort(reason?: unknown): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#sink.abort(reason);
  }

  async #ready(): Promise<HctBlockEncoder> {
    if (this.#encoder === undefined) {
      const tools = await loadHctWriteTools(this.#options.algorithm ?? 'lz4', this.#options);
      this.#encoder = new HctBlockEncoder(this.#options, tools);
      this.#position = this.#encoder.headSize;
    }
    return this.#encoder;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#filled + bytes.length > SINK_BATCH_SIZE) await this.#writeBatch();
    if (bytes.length > SINK_BATCH_SIZE) {
      await this.#write(bytes);
      return;
    }
    this.#batch.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async #writeBatch(): Promise<void> {
    if (this.#filled > 0) await this.#write(this.#batch.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await this.#sink.write(bytes, this.#position);
    this.#position += bytes.length;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended)
      throw new ArgumentError('Cannot write to this HctWriter: it has been closed or has failed');
    try {
      this.#options.signal?.throwIfAborted();
      return await work();
    } catch (error) {
      await discard(this, error);
      throw error;
    }
  }
}

/**
 * Takes the bytes of a tensor and writes an HCT file of them to a sink that can seek, with an `HctWriter`'s memory.
 * An abort, or bytes that do not fit the shape, abort the sink.
 *
 * @example
 * const bytes = viewBytes(new Float32Array(100 * 100).fill(0.5));
 * const sink = new HctSink(await fileSink('weights.hct'), { dtype: 'F32', shape: [100, 100] });
 * await bytesSource(bytes).stream().pipeTo(sink);
 * const { ratio } = await sink.stats;
 */
export class HctSink extends BaseWritableStream<Uint8Array> {
  /** Settles when the file is final; rejects with what the stream failed with. */
  readonly stats: Promise<HctCompressionStats>;

  /** @throws ArgumentError, UnsupportedError, LimitError when no such file can be written */
  constructor(sink: SeekableSink, options: HctWriterOptions) {
    const { sink: target, result } = withResult(new HctWriter(sink, options));
    super(target);
    this.stats = result;
  }
}

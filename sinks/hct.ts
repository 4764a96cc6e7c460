import { BaseWritableStream } from '../operators/streamClasses.js';
import type { SeekableSink } from '../src/source.js';
import { type HctCompressionStats, HctWriter, type HctWriterOptions } from './hctWriter.js';

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
    const writer = new HctWriter(sink, options);
    let resolve!: (stats: HctCompressionStats) => void;
    let reject!: (reason: unknown) => void;
    const orFail = (error: unknown) => {
      reject(error);
      throw error;
    };
    super({
      write: (chunk) => writer.write(chunk).catch(orFail),
      close: () => writer.close().then(resolve, orFail),
      abort: (reason) => {
        reject(reason);
        return writer.abort(reason);
      },
    });
    this.stats = new Promise((settle, fail) => {
      resolve = settle;
      reject = fail;
    });
    // Whoever pipes learns of the error from the pipe; the promise must not report it a second time as unhandled.
    this.stats.catch(() => {});
  }
}

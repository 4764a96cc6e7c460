import { asBytes, type BytesLike } from '../src/bytes/binary.js';
import { check, having } from '../src/checks/options.js';
import { ArgumentError } from '../src/errors.js';
import { assertSink, discard, type SeekableSink } from '../src/source.js';

/**
 * The face of a sink for `pipeTo`: bytes go in one after another, from position 0. Aborting the stream, or a write
 * that fails, aborts the sink.
 *
 * @example
 * const source = httpSource('https://example.org/model/fc1.weight.hct');
 * await source.stream().pipeTo(sinkStream(await fileSink('copy.hct')));
 */
export function sinkStream(sink: SeekableSink): WritableStream<BytesLike> {
  assertSink(sink);
  let position = 0;
  return new WritableStream<BytesLike>({
    async write(chunk) {
      try {
        const bytes = asBytes(chunk);
        await sink.write(bytes, position);
        position += bytes.length;
      } catch (error) {
        // The platform never aborts a stream whose write fails: clean up here.
        await discard(sink, error);
        throw error;
      }
    },
    close: () => sink.close(),
    abort: (reason) => sink.abort(reason),
  });
}

/**
 * The reverse: a stream (standard output, a request's body) as a sink, for writers that write in order. The
 * stream may be of another implementation (a ponyfill's); `sinkStream(streamSink(stream))` is one of the engine's.
 * @throws ArgumentError from a write that is not where the last one ended
 */
export function streamSink(stream: WritableStream<Uint8Array>): SeekableSink {
  check('stream', stream, having<WritableStream>('getWriter', 'a WritableStream'));
  const writer = stream.getWriter();
  let position = 0;
  return {
    async write(input, at) {
      const bytes = asBytes(input);
      if (at !== position) {
        throw new ArgumentError('Cannot write at this position: a stream is written in order', {
          expected: position,
          actual: at,
        });
      }
      position += bytes.length;
      await writer.write(bytes);
    },
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  };
}

import { Observable } from 'rxjs';
import { type ByteStreamLike, byteReader, openChunks } from '../platform/byteReader.js';

/**
 * The chunks of a stream, of the body of a response, or of anything else that gives bytes (see {@link ByteStreamLike}) as
 * an Observable. It pulls: the next chunk is read when the subscriber has taken the last. Unsubscribing cancels the
 * stream, even one that has stalled, and with it the request behind it. (RxJS's own `from(stream)` does neither, see the
 * design notes.) The stream is locked from the first subscription on, so there can be only one.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response).pipe(decodeHct()).subscribe((bytes) => console.log(bytes.length));
 *
 * @throws SourceError, to subscribers, for a response that is an error or has no body, and for a body that is null;
 * ArgumentError for anything else
 */
export function fromReadableStream<T>(stream: ReadableStream<T>): Observable<T>;
export function fromReadableStream(input: ByteStreamLike): Observable<Uint8Array>;
export function fromReadableStream(input: unknown): Observable<unknown> {
  return new Observable((subscriber) => {
    // A stream may be one of anything; all else gives bytes.
    const isStream = typeof (input as Partial<ReadableStream> | null)?.getReader === 'function';
    const chunks = isStream ? openChunks(input) : byteReader(input as ByteStreamLike);
    const pump = async () => {
      try {
        while (!subscriber.closed) {
          const chunk = await chunks.next();
          if (chunk === undefined) return subscriber.complete();
          subscriber.next(chunk);
        }
      } catch (error) {
        subscriber.error(error);
      }
    };
    void pump();
    return () => {
      Promise.resolve(chunks.close?.()).catch(() => {});
    };
  });
}

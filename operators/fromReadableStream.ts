import { Observable } from 'rxjs';
import { bodyOf, type StreamInput } from '../src/body.js';

/**
 * The chunks of a stream, or of the body of a response, as an Observable. It pulls: the next chunk is read when the
 * subscriber has taken the last. Unsubscribing cancels the stream, even one that has stalled, and with it the request
 * behind it. (RxJS's own `from(stream)` does neither, see the design notes.) The stream is locked from the first
 * subscription on, so there can be only one.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response).pipe(decodeHct()).subscribe((bytes) => console.log(bytes.length));
 *
 * @throws SourceError, to subscribers, for a response that is an error or has no body, and for a body that is null;
 * ArgumentError for anything else
 */
export function fromReadableStream<T = Uint8Array>(input: StreamInput<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const reader = bodyOf(input).getReader();
    const pump = async () => {
      try {
        while (!subscriber.closed) {
          const { done, value } = await reader.read();
          if (done) return subscriber.complete();
          subscriber.next(value);
        }
      } catch (error) {
        subscriber.error(error);
      }
    };
    void pump();
    return () => {
      // On a stream that has ended or failed, cancelling does nothing, or repeats the error already delivered.
      reader.cancel().catch(() => {});
      reader.releaseLock();
    };
  });
}

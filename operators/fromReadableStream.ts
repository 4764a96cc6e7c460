import { Observable } from 'rxjs';

/**
 * The chunks of a stream as an Observable. It pulls: the next chunk is read when the subscriber has taken the
 * last. Unsubscribing cancels the stream, even one that has stalled, and with it the request behind it.
 * (RxJS's own `from(stream)` does neither, see the design notes.) The stream is locked from the first subscription on,
 * so there can be only one.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response.body!).pipe(decodeHct()).subscribe((bytes) => console.log(bytes.length));
 */
export function fromReadableStream<T = Uint8Array>(stream: ReadableStream<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const reader = stream.getReader();
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

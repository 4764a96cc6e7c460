import { onAbort } from '../platform/abort.js';
import type { ChunkReader } from '../platform/byteReader.js';
import { withByteReaders } from '../platform/byteStream.js';

/**
 * A stream that asks its reader for a chunk only when its consumer asks for one: it never reads ahead. It has byte
 * readers, too. Cancelling it,
 * or aborting one of `signals`, closes the reader at once, even while it waits for bytes.
 */
export function pullStream(
  reader: ChunkReader,
  signals: readonly (AbortSignal | undefined)[],
): ReadableStream<Uint8Array> {
  /** The consumer has cancelled or aborted: nothing may be enqueued any more. */
  let gone = false;
  let closed = false;
  let closing: void | Promise<void>;
  let removers: (() => void)[] = [];
  const close = (reason?: unknown): void | Promise<void> => {
    // Whoever cancels a stream that is about to end waits for the same end: a cache may be keeping the last bytes.
    if (closed) return closing;
    closed = true;
    for (const remove of removers) remove();
    closing = reader.close?.(reason);
    return closing;
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = (reason: unknown) => {
          gone = true;
          controller.error(reason);
          ignoreFailure(close(reason));
        };
        const given = signals.filter((signal) => signal !== undefined);
        const aborted = given.find((signal) => signal.aborted);
        if (aborted !== undefined) abort(aborted.reason);
        else removers = given.map((signal) => onAbort(signal, abort));
      },
      async pull(controller) {
        try {
          let chunk = await reader.next();
          // An empty chunk would wake the consumer for nothing.
          while (chunk?.length === 0 && !gone) chunk = await reader.next();
          if (gone) return;
          if (chunk !== undefined) return controller.enqueue(chunk);
          await close();
          if (!gone) controller.close();
        } catch (error) {
          if (gone) return;
          controller.error(error);
          ignoreFailure(close(error));
        }
      },
      cancel(reason) {
        gone = true;
        return close(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return withByteReaders(stream);
}

/** Closing after a failure: the stream has its error already, a second one would only hide it. */
function ignoreFailure(closing: void | Promise<void>): void {
  Promise.resolve(closing).catch(() => {});
}

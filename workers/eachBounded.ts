import { onAbort } from '../platform/abort.js';

/**
 * Runs `work` on all items, at most `limit` at a time; an item is pulled only when there is room for it. The first
 * failure, or an abort of `signal`, starts no further work and aborts the signal that running work has.
 * @throws the first failure, or the signal's reason, when all running work has ended
 */
export async function eachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const failure = new AbortController();
  const release = signal && onAbort(signal, (reason) => failure.abort(reason));
  const underWay = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item, failure.signal)
        .catch((error: unknown) => failure.abort(error))
        .finally(() => underWay.delete(one));
      underWay.add(one);
      if (underWay.size >= limit) await Promise.race(underWay);
      if (failure.signal.aborted) break;
    }
  } catch (error) {
    failure.abort(error);
  }
  await Promise.all(underWay);
  release?.();
  failure.signal.throwIfAborted();
}

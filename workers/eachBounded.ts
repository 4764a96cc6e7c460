import { onAbort } from '../src/abort.js';

/**
 * Runs `work` on all items, at most `limit` at a time; an item is pulled only when there is room for it. At the first
 * failure, and when `signal` aborts, nothing more is begun, and the signal that `work` gets tells what is under way.
 * @throws the first failure, or the signal's reason, when all that was under way has ended
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

import { onAbort } from '../platform/abort.js';
import { Queue } from '../src/async/queue.js';

/**
 * The results of `work` on all items, in their order, while up to `limit` items are under way. An item is pulled only when there
 * is room for it. An end before the last item, or an abort of `signal`, aborts the signal that running work has.
 * @throws the first failure in the order of the items, when all running work has ended
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal | undefined,
): AsyncGenerator<R> {
  signal?.throwIfAborted();
  const ended = new AbortController();
  const release = signal && onAbort(signal, (reason) => ended.abort(reason));
  const underWay = new Queue<Promise<R>>();
  try {
    for (const item of items) {
      const result = work(item, ended.signal);
      // It may fail before its turn to be awaited.
      result.catch(() => {});
      underWay.add(result);
      if (underWay.size >= limit) yield await underWay.take()!;
    }
    while (underWay.size > 0) yield await underWay.take()!;
  } finally {
    release?.();
    ended.abort();
    await Promise.allSettled(underWay.takeAll());
  }
}

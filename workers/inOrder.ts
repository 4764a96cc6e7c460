import { onAbort } from '../platform/abort.js';
import { Queue } from '../src/async/queue.js';
import { type Bound, WorkLoad } from './bound.js';

/**
 * The results of `work` on all items, in their order, while as many are under way as `bound` allows: until their result has been
 * taken, and the next one is asked for. An item is pulled only when there is a place for it. An end before the last item, or an abort of `signal`, aborts the signal that running work has.
 * @throws the first failure in the order of the items, when all running work has ended
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  bound: number | Bound<T>,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal | undefined,
): AsyncGenerator<R> {
  signal?.throwIfAborted();
  const ended = new AbortController();
  const release = signal && onAbort(signal, (reason) => ended.abort(reason));
  const load = new WorkLoad(bound);
  const underWay = new Queue<{ readonly item: T; readonly result: Promise<R> }>();
  try {
    for (const item of items) {
      while (!load.fits(item)) yield* next();
      const result = work(item, ended.signal);
      // It may fail before its turn to be awaited.
      result.catch(() => {});
      load.begin(item);
      underWay.add({ item, result });
      if (!load.hasPlace) yield* next();
    }
    while (underWay.size > 0) yield* next();
  } finally {
    release?.();
    ended.abort();
    await Promise.allSettled(underWay.takeAll().map(({ result }) => result));
  }

  async function* next(): AsyncGenerator<R> {
    const { item, result } = underWay.take()!;
    yield await result;
    load.end(item);
  }
}

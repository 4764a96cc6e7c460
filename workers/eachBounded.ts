import { onAbort } from '../platform/abort.js';
import { type Bound, WorkLoad } from './bound.js';

/**
 * Runs `work` on all items, at most `bound` at a time; an item is pulled only when there is a place for it. The first
 * failure, or an abort of `signal`, starts no further work and aborts the signal that running work has.
 * @throws the first failure, or the signal's reason, when all running work has ended
 */
export async function eachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  bound: number | Bound<T>,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const failure = new AbortController();
  const release = signal && onAbort(signal, (reason) => failure.abort(reason));
  const load = new WorkLoad(bound);
  const underWay = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      while (!load.fits(item)) await Promise.race(underWay);
      if (failure.signal.aborted) break;
      load.begin(item);
      const one: Promise<void> = work(item, failure.signal)
        .catch((error: unknown) => failure.abort(error))
        .finally(() => {
          load.end(item);
          underWay.delete(one);
        });
      underWay.add(one);
      if (!load.hasPlace) await Promise.race(underWay);
      if (failure.signal.aborted) break;
    }
  } catch (error) {
    failure.abort(error);
  }
  await Promise.all(underWay);
  release?.();
  failure.signal.throwIfAborted();
}

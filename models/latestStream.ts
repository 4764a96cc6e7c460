import type { Observable, Subscription } from 'rxjs';
import { Queue } from '../src/async/queue.js';

/**
 * An Observable as a stream for a consumer that may be slower: it gets the latest value of each key (such as each
 * tensor) when it asks; older values are skipped, never queued. Cancelling unsubscribes.
 */
export function latestStream<T>(
  observable: Observable<T>,
  keyOf: (value: T) => string = () => '',
): ReadableStream<T> {
  let subscription: Subscription;
  const latest = new Map<string, T>();
  const keys = new Queue<string>();
  let ended = false;
  let waiting: (() => void) | undefined;
  return new ReadableStream<T>(
    {
      start(controller) {
        subscription = observable.subscribe({
          next(value) {
            const key = keyOf(value);
            latest.set(key, value);
            keys.add(key);
            waiting?.();
          },
          error: (error) => controller.error(error),
          complete() {
            ended = true;
            waiting?.();
          },
        });
      },
      async pull(controller) {
        if (latest.size === 0 && !ended) {
          await new Promise<void>((resolve) => {
            waiting = resolve;
          });
          waiting = undefined;
        }
        const key = keys.take();
        if (key !== undefined) {
          controller.enqueue(latest.get(key)!);
          latest.delete(key);
        } else if (ended) controller.close();
      },
      cancel() {
        subscription.unsubscribe();
        waiting?.();
      },
    },
    { highWaterMark: 0 },
  );
}

import { onAbort } from '../platform/abort.js';
import { startTimer } from '../platform/timer.js';
import { createLimiter } from '../sources/limiter.js';
import { ArgumentError } from '../src/errors.js';

/** The abort reason of work that ends without an error, with what has been loaded. */
export const ENDED = new Error('the load has ended');

/** What is asked of a model that is closed. */
export function closedError(): ArgumentError {
  return new ArgumentError('Cannot read from the model: the model is closed');
}

/** When a load ends early. */
export interface LoadEnd {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly deadline?: number | undefined;
}

/** The loads and reads of a model: loads follow each other, and closing ends all of them. */
export class LoadQueue {
  /** Held by the load that runs. */
  readonly #mutex = createLimiter(1);
  /** What is under way or waits. */
  readonly #running = new Map<AbortController, Promise<unknown>>();
  #closed = false;

  /**
   * Runs a load after those that came before.
   * @param load gets the signal that ends it, and what is left of its deadline
   * @throws as {@link run}, and ENDED at a deadline before its turn
   */
  load({ signal, deadline }: LoadEnd, load: (end: LoadEnd) => Promise<void>): Promise<void> {
    return this.run(signal, async (stop) => {
      const start = performance.now();
      const stopTimer = deadline === undefined ? undefined : startTimer(deadline, () => stop.abort(ENDED));
      const leave = await this.#mutex.acquire(stop.signal).finally(() => stopTimer?.());
      // The deadline counts from the call.
      const left = deadline === undefined ? undefined : Math.max(0, deadline - (performance.now() - start));
      try {
        await load({ signal: stop.signal, deadline: left });
      } finally {
        leave();
      }
    });
  }

  /**
   * Does work that ends when the caller's signal aborts, or at {@link close}.
   * @throws ENDED when closed meanwhile; ArgumentError when closed before
   */
  async run<T>(signal: AbortSignal | undefined, work: (stop: AbortController) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const stop = new AbortController();
    const removeAbort = signal && onAbort(signal, (reason) => stop.abort(reason));
    const done = work(stop);
    this.#running.set(stop, done);
    try {
      return await done;
    } finally {
      this.#running.delete(stop);
      removeAbort?.();
    }
  }

  /** Ends all work, and waits until it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#running.keys()) stop.abort(ENDED);
    await Promise.allSettled(this.#running.values());
  }
}

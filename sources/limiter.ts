import { onAbort } from '../platform/abort.js';
import { Queue } from '../src/async/queue.js';
import { ABORT_RULES } from '../src/checks/abortOptions.js';
import { check, wholeNumber } from '../src/checks/options.js';

/** Lets a limited number of holders through at a time; the others wait in order. */
export interface Limiter {
  /**
   * Waits for a free place.
   * @returns a function that gives the place back; only its first call counts
   */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

/**
 * A limit that sources share: `httpSource(url, { limiter })` holds a place for each open request, even while its
 * consumer pauses. Callers that leave streams open need more places than open streams. With `Infinity` places, no request waits.
 */
export function createLimiter(places: number): Limiter {
  if (places !== Infinity) check('places', places, wholeNumber(1));
  let free = places;
  const waiting = new Queue<() => void>();
  const give = () => {
    const next = waiting.take();
    if (next === undefined) free += 1;
    else next();
  };
  const place = () => {
    let held = true;
    return () => {
      if (held) give();
      held = false;
    };
  };
  return {
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal !== undefined) check('signal', signal, ABORT_RULES.signal);
        if (signal?.aborted) return reject(signal.reason);
        if (free > 0) {
          free -= 1;
          return resolve(place());
        }
        const enter = () => {
          removeAbort?.();
          resolve(place());
        };
        const removeAbort =
          signal &&
          onAbort(signal, (reason) => {
            waiting.delete(enter);
            reject(reason);
          });
        waiting.add(enter);
      });
    },
  };
}

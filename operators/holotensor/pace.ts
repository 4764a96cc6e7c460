import { Observable, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import type { Reconstructor } from '../../src/holotensor/reconstructor.js';

/**
 * A reconstruction that took longer than a frame of a display (60 a second) makes the next one wait for a task of
 * its own, so that all fragments that have come in the meantime go into one.
 */
const LONG_MS = 16;

/** A reconstructor, again after each fragment that it has taken, in; its reconstructions, when they are due, out. */
export function pace(scheduler: SchedulerLike): OperatorFunction<Reconstructor, Reconstruction> {
  return (source) =>
    new Observable((subscriber) => {
      let latest: Reconstructor | undefined;
      let waiting: Subscription | undefined;
      let lastTook = 0;
      const emit = (reconstructor: Reconstructor) => {
        waiting?.unsubscribe();
        waiting = undefined;
        const started = scheduler.now();
        const reconstruction = reconstructor.take(started);
        lastTook = scheduler.now() - started;
        subscriber.next(reconstruction);
      };
      const emitLater = (reconstructor: Reconstructor, delay: number) => {
        waiting ??= scheduler.schedule(() => {
          try {
            emit(reconstructor);
          } catch (error) {
            subscriber.error(error);
          }
        }, delay);
      };
      subscriber.add(() => waiting?.unsubscribe());
      return source.subscribe({
        next(reconstructor) {
          latest = reconstructor;
          const delay = reconstructor.delay(scheduler.now());
          if (delay === 0 && lastTook <= LONG_MS) emit(reconstructor);
          else if (delay < Number.POSITIVE_INFINITY) emitLater(reconstructor, delay);
        },
        error: (error) => subscriber.error(error),
        complete() {
          if (latest?.changed) emit(latest);
          subscriber.complete();
        },
      });
    });
}

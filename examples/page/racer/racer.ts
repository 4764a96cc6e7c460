import { fromEvent, map, merge, type Observable } from 'rxjs';
import type { RacerEvent, RacerRequest } from './protocol.js';

/** One load of a model, in a worker of its own: the page only draws. */
export class Racer {
  /** What happens, until the racer is closed. */
  readonly events$: Observable<RacerEvent>;
  readonly #worker: Worker;

  constructor() {
    this.#worker = new Worker(new URL('racer.worker.js', import.meta.url), { type: 'module' });
    const failed = (event: Event): RacerEvent => ({
      type: 'failed',
      message: event instanceof ErrorEvent && event.message ? event.message : 'The worker did not start.',
    });
    this.events$ = merge(
      fromEvent<MessageEvent<RacerEvent>>(this.#worker, 'message').pipe(map(({ data }) => data)),
      fromEvent<Event>(this.#worker, 'error').pipe(map(failed)),
    );
  }

  send(request: RacerRequest): void {
    this.#worker.postMessage(request);
  }

  close(): void {
    this.#worker.terminate();
  }
}

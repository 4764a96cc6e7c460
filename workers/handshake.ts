import { READY, type WorkerReply } from './protocol.js';
import type { ThreadEvents } from './thread.js';

/** What a pool hears of a worker. */
export interface WorkerEvents {
  ready(): void;
  reply(reply: WorkerReply): void;
  /** It could not start, or it died. */
  crash(cause: unknown): void;
}

/**
 * Makes sure that the script at the other end is ours: an empty one, or the page that a server sends for what is not
 * there, would let tasks wait for ever.
 * @param ms how long it may take to say that it is ready
 */
export function handshake(ms: number, { ready, reply, crash }: WorkerEvents): ThreadEvents {
  let started = false;
  // In two steps: when this thread has been busy for long, its timers are served before the messages.
  let timer = later(ms / 2, () => {
    timer = later(ms / 2, () => crash(new Error(`the worker script was not ready after ${ms} ms`)));
  });
  return {
    message(data) {
      if (started) {
        reply(data as WorkerReply);
        return;
      }
      clearTimeout(timer);
      if (data === READY) {
        started = true;
        ready();
      } else crash(new Error('the worker script is not the one of this version'));
    },
    crash(cause) {
      clearTimeout(timer);
      crash(cause);
    },
  };
}

/** A timer that does not keep the process alive. */
export function later(ms: number, work: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, ms);
  // In Node, a timer is an object that can let the process end.
  if (typeof timer === 'object') timer.unref();
  return timer;
}

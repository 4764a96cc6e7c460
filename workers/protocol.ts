/** The messages between a pool and its workers, and how a worker shows that it speaks them. */

import { startTimer } from '../src/timer.js';
import type { PackedError } from './packedError.js';
import type { ThreadEvents } from './thread.js';

/**
 * The first message of a worker, sent when it is ready for tasks. The number changes with the messages: the script of
 * another version of the package sends another one.
 */
export const READY = 'holostream worker 1';

/** What a pool tells a worker: a task, or that one, or those of a session, are no longer wanted. */
export type WorkerRequest = WorkerTask | { readonly cancel: number } | { readonly forget: number };

export interface WorkerTask {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  /** Tasks with the same number share what they keep. */
  readonly session: number | undefined;
  /** Buffers of the input that come back with the reply. */
  readonly borrowed: readonly ArrayBufferLike[];
}

/** What a worker replies, once for every task, cancelled or not. */
export type WorkerReply = WorkerResult & {
  readonly id: number;
  readonly borrowed: readonly ArrayBufferLike[];
};

type WorkerResult = { readonly output: unknown } | { readonly error: PackedError };

/** What a pool hears of a worker. */
export interface WorkerEvents {
  ready(): void;
  reply(reply: WorkerReply): void;
  /** It could not start, or it died. */
  crash(cause: unknown): void;
}

/**
 * Makes sure that the script at the other end is ours: with an empty one, or a server's error page, tasks would wait
 * for ever.
 * @param ms how long it may take to say that it is ready
 */
export function handshake(ms: number, { ready, reply, crash }: WorkerEvents): ThreadEvents {
  let started = false;
  // In two steps: when this thread has been busy for long, its timers are served before the messages.
  let stopTimer = startTimer(
    ms / 2,
    () => {
      const late = () => crash(new Error(`the worker script was not ready after ${ms} ms`));
      stopTimer = startTimer(ms / 2, late, false);
    },
    false,
  );
  return {
    message(data) {
      if (started) {
        reply(data as WorkerReply);
        return;
      }
      stopTimer();
      if (data === READY) {
        started = true;
        ready();
      } else crash(new Error('the worker script is not the one of this version'));
    },
    crash(cause) {
      stopTimer();
      crash(cause);
    },
  };
}

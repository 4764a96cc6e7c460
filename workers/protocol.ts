/** The messages between a pool and its workers, and how a worker shows that it speaks them. */

import { startWatchdog } from '../platform/timer.js';
import type { PackedError } from './packedError.js';
import type { ThreadEvents } from './thread.js';

/**
 * The first message of a worker, sent when it is ready for tasks. The number changes with the messages: the script of
 * another version of the package sends another one.
 */
export const READY = 'holostream worker 1';

/** A message to a worker: a task, the cancellation of a task, or the end of a session. */
export type WorkerRequest = WorkerTask | { readonly cancel: number } | { readonly forget: number };

export interface WorkerTask {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  /** Tasks with the same number share their state. */
  readonly session: number | undefined;
  /** Buffers of the input that come back with the reply. */
  readonly borrowed: readonly ArrayBufferLike[];
}

/** The reply of a worker, once for every task, cancelled or not. */
export type WorkerReply = WorkerResult & {
  readonly id: number;
  readonly borrowed: readonly ArrayBufferLike[];
};

type WorkerResult = { readonly output: unknown } | { readonly error: PackedError };

/** The events of a worker. */
export interface WorkerEvents {
  ready(): void;
  reply(reply: WorkerReply): void;
  /** It could not start, or it died. */
  crash(cause: unknown): void;
}

/**
 * Verifies that the other end runs our script, because with an empty script, or a server's error page, tasks would
 * never end.
 * @param ms time limit of the script's first message
 */
export function handshake(ms: number, { ready, reply, crash }: WorkerEvents): ThreadEvents {
  let started = false;
  const late = () => crash(new Error(`the worker script was not ready after ${ms} ms`));
  const stopTimer = startWatchdog(ms, late, false);
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

import { WorkerError } from '../src/errors.js';
import { type Buffers, unshared } from './buffers.js';
import { unpackError } from './packedError.js';
import type { WorkerReply } from './protocol.js';
import type { Prepare, Prepared } from './task.js';
import type { Thread } from './thread.js';

/** A task of a pool, waiting or under way. */
export interface Job {
  readonly id: number;
  readonly task: string;
  readonly prepare: Prepare<unknown>;
  readonly done?: Prepared<unknown>['done'];
  readonly settle: (outcome: { readonly output: unknown } | { readonly error: unknown }) => void;
}

/** A thread of a pool, and what it has to do. */
export class Member {
  /** Their weights. */
  readonly sessions = new Map<number, number>();
  readonly #thread: Thread;
  readonly #buffers: Buffers;
  /** Sent to the thread, which has not replied. */
  readonly #jobs = new Map<number, Job>();
  /** Those of them whose results nobody waits for. */
  readonly #cancelled = new Set<number>();

  constructor(thread: Thread, buffers: Buffers) {
    this.#thread = thread;
    this.#buffers = buffers;
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  /** What its sessions weigh together. */
  get weight(): number {
    let sum = 0;
    for (const weight of this.sessions.values()) sum += weight;
    return sum;
  }

  post(job: Job, session?: number): void {
    const { id, task } = job;
    try {
      const { input, transfer = [], borrowed = [], done } = job.prepare(this.#buffers);
      // Throws when something in the input cannot be cloned or transferred.
      this.#thread.post({ id, task, input, borrowed, session }, unshared([...transfer, ...borrowed]));
      this.#jobs.set(id, { ...job, done });
      this.#thread.keepAlive(true);
    } catch (cause) {
      job.settle({
        error: new WorkerError(
          'Cannot send the task to a worker: its input cannot be cloned or transferred',
          { cause },
        ),
      });
    }
  }

  finish(reply: WorkerReply): void {
    const job = this.#jobs.get(reply.id);
    this.#jobs.delete(reply.id);
    this.#cancelled.delete(reply.id);
    this.#buffers.give(reply.borrowed);
    job?.done?.();
    job?.settle('error' in reply ? { error: unpackError(reply.error) } : reply);
    if (this.#cancelled.size === this.#jobs.size) this.#thread.keepAlive(false);
  }

  /** A task that has been sent keeps its place until the thread replies, but no process waits for that. */
  cancel({ id }: Job): void {
    if (!this.#jobs.has(id)) return;
    this.#thread.post({ cancel: id }, []);
    this.#cancelled.add(id);
    if (this.#cancelled.size === this.#jobs.size) this.#thread.keepAlive(false);
  }

  /** A task waits for the place of one of its tasks, which may all be cancelled. */
  awaitReply(): void {
    this.#thread.keepAlive(true);
  }

  forget(session: number): void {
    this.sessions.delete(session);
    this.#thread.post({ forget: session }, []);
  }

  /** Ends the thread; tasks under way fail. */
  end(error: unknown): void {
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) this.cancel(job);
    this.#thread.stop();
    for (const job of jobs) {
      job.done?.();
      job.settle({ error });
    }
  }
}

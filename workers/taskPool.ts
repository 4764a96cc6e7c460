import { onAbort } from '../platform/abort.js';
import { Queue } from '../src/async/queue.js';
import { check, checkOptions, wholeNumber } from '../src/checks/options.js';
import { WorkerError } from '../src/errors.js';
import { Buffers } from './buffers.js';
import type { Job, Member } from './member.js';
import { Members, POOL_RULES, TASKS_PER_WORKER, type WorkerPoolOptions } from './members.js';
import {
  MAX_THREADS,
  type Prepare,
  type RunOptions,
  type TaskInput,
  type TaskName,
  type TaskOutput,
  type TaskSession,
  type TaskTable,
} from './task.js';

/** One for the input, one for the output. */
const BUFFERS_PER_TASK = 2;

/**
 * Worker threads, started when there is work for them. Tasks wait in a queue; callers with many tasks keep at most
 * `capacity` of them running (see `eachBounded`), so that inputs and outputs do not pile up. The pool knows its tasks
 * as a type only.
 */
export class TaskPool<T extends TaskTable> {
  readonly size: number;
  /** Buffers for inputs that tasks borrow. */
  readonly buffers: Buffers;
  readonly #members: Members;
  readonly #waiting = new Queue<Job>();
  #nextId = 0;
  #closed = false;

  /**
   * @param size most threads, 1 to 1024
   * @throws ArgumentError
   */
  constructor(size: number, options: WorkerPoolOptions = {}) {
    check('size', size, wholeNumber(1, MAX_THREADS));
    const { url, startTimeout } = checkOptions(options, POOL_RULES);
    this.size = size;
    this.buffers = new Buffers(size * TASKS_PER_WORKER * BUFFERS_PER_TASK);
    this.#members = new Members(size, { url, startTimeout }, this.buffers, {
      free: () => this.#dispatch(),
      unusable: (error) => this.#failWaiting(error),
    });
  }

  /** The number of tasks that keeps all threads busy. */
  get capacity(): number {
    return this.size * TASKS_PER_WORKER;
  }

  /**
   * Runs a task in the next free worker.
   * @throws what the task throws, with its class and fields; WorkerError when its worker died; the signal's reason
   */
  run<N extends TaskName<T>>(
    task: N,
    input: TaskInput<T, N>,
    { transfer = [], signal }: RunOptions = {},
  ): Promise<TaskOutput<T, N>> {
    return this.runPrepared(task, () => ({ input, transfer }), { signal });
  }

  /**
   * The same for inputs that are copies: `prepare` makes them in buffers of the pool, and only when a worker has room,
   * so that many large tasks need few buffers.
   */
  runPrepared<N extends TaskName<T>>(
    task: N,
    prepare: Prepare<TaskInput<T, N>>,
    { signal }: Pick<RunOptions, 'signal'> = {},
  ): Promise<TaskOutput<T, N>> {
    return this.#run(task, prepare, signal, (job) => {
      this.#waiting.add(job);
      this.#dispatch();
    });
  }

  /** Whether a worker has started: the script is right then. */
  get hasStarted(): boolean {
    return this.#members.hasStarted;
  }

  /**
   * Tasks that run in the same worker, in order, and share state there until `close`.
   * @param weight how much work it will be, beside that of other sessions
   */
  openSession(weight = 1): TaskSession<T> {
    const session = this.#nextId++;
    let member: Member | undefined;
    const isLost = () => this.#closed || (member !== undefined && !this.#members.has(member));
    return {
      get isLost() {
        return isLost();
      },
      runPrepared: (task, prepare, { signal } = {}) =>
        this.#run(task, prepare, signal, (job) => {
          this.#members.stayAwake();
          member ??= this.#members.forSession(session, weight);
          if (!isLost()) member.post(job, session);
          else
            job.settle({
              error: new WorkerError(
                'Cannot continue the session: its worker died, and what it kept is lost',
              ),
            });
        }),
      close: () => {
        if (member === undefined || isLost()) return;
        member.forget(session);
        this.#members.endWhenIdle();
      },
    };
  }

  #run<N extends TaskName<T>>(
    task: N,
    prepare: Prepare<unknown>,
    signal: AbortSignal | undefined,
    begin: (job: Job) => void,
  ): Promise<TaskOutput<T, N>> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw new WorkerError('Cannot run the task: the worker pool is closed');
      const job: Job = {
        id: this.#nextId++,
        task,
        prepare,
        settle: (outcome) => {
          release?.();
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.output as TaskOutput<T, N>);
        },
      };
      const abort = () => {
        this.#waiting.delete(job);
        this.#members.cancel(job);
        job.settle({ error: signal?.reason });
      };
      const release = signal && onAbort(signal, abort);
      begin(job);
    });
  }

  /** Ends all threads; tasks under way fail. */
  close(): void {
    this.#closed = true;
    const error = new WorkerError('Cannot finish the task: the worker pool is closed');
    this.#failWaiting(error);
    this.#members.end(error);
  }

  #dispatch(): void {
    this.#members.stayAwake();
    while (this.#waiting.size > 0) {
      const member = this.#members.free();
      if (member === undefined) {
        this.#members.awaitPlace();
        return;
      }
      member.post(this.#waiting.take()!);
    }
  }

  #failWaiting(error: WorkerError): void {
    for (const job of this.#waiting.takeAll()) job.settle({ error });
  }
}

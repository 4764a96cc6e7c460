import { onAbort } from '../platform/abort.js';
import { startTimer } from '../platform/timer.js';
import { Queue } from '../src/async/queue.js';
import { check, checkOptions, number, type Rules, wholeNumber } from '../src/checks/options.js';
import { address } from '../src/checks/rules.js';
import { WorkerError } from '../src/errors.js';
import { Buffers } from './buffers.js';
import { type Job, Member } from './member.js';
import { handshake, type WorkerReply } from './protocol.js';
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
import { startThread } from './thread.js';

export interface WorkerPoolOptions {
  /**
   * URL of the worker script. Default: `worker.js` beside the calling module, which is right for the unbundled package
   * and for bundlers that know `new Worker(new URL(…))`. With others (esbuild), bundle `holostream/worker`, as a
   * separate entry, to a file of that name, or pass its URL.
   */
  readonly url?: string | URL | undefined;
  /** Milliseconds that the script may take until it is ready. Default 30000. */
  readonly startTimeout?: number | undefined;
}

const RULES: Rules<WorkerPoolOptions> = { url: address, startTimeout: /* @__PURE__ */ number() };

/** Tasks per worker: when it finishes one, the next has already arrived. */
const TASKS_PER_WORKER = 2;

/** Long enough for a slow network; only a wrong script takes longer. */
const START_MS = 30_000;

/** One for the input, one for the output. */
const BUFFERS_PER_TASK = 2;

/** Threads without work for this long end, and their memory is freed. */
const IDLE_MS = 10_000;

/**
 * Worker threads, started when there is work for them. Tasks wait in a queue; callers with many tasks keep at most
 * `capacity` of them running (see `eachBounded`), so that inputs and outputs do not pile up. The pool knows its tasks
 * as a type only.
 */
export class TaskPool<T extends TaskTable> {
  readonly size: number;
  /** Buffers for inputs that tasks borrow. */
  readonly buffers: Buffers;
  readonly #url: string | URL | undefined;
  readonly #startTimeout: number;
  readonly #members = new Set<Member>();
  readonly #waiting = new Queue<Job>();
  /** A worker has started, so the script is right. */
  #proven = false;
  #nextId = 0;
  #closed = false;
  /** Stops the timer that ends idle threads. */
  #stayAwake: (() => void) | undefined;

  /**
   * @param size most threads, 1 to 1024
   * @throws ArgumentError
   */
  constructor(size: number, options: WorkerPoolOptions = {}) {
    check('size', size, wholeNumber(1, MAX_THREADS));
    const { url, startTimeout = START_MS } = checkOptions(options, RULES);
    this.size = size;
    this.buffers = new Buffers(size * TASKS_PER_WORKER * BUFFERS_PER_TASK);
    this.#url = url;
    this.#startTimeout = startTimeout;
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
    return this.#proven;
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
          this.#stayAwake?.();
          member ??= this.#memberFor(session, weight);
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
        this.#endWhenIdle();
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
        this.#cancel(job);
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
    for (const job of this.#waiting.takeAll()) job.settle({ error });
    for (const member of this.#members) this.#remove(member, error);
    this.buffers.clear();
  }

  #dispatch(): void {
    this.#stayAwake?.();
    while (this.#waiting.size > 0) {
      const member = this.#freeMember();
      if (member === undefined) return;
      member.post(this.#waiting.take()!);
    }
  }

  /** An idle worker, a new one, or the one with the fewest tasks; none when all are full. */
  #freeMember(): Member | undefined {
    let least: Member | undefined;
    for (const member of this.#members) {
      if (least === undefined || member.jobs < least.jobs) least = member;
    }
    if (least?.jobs === 0) return least;
    if (this.#members.size < this.size) return this.#start();
    return least !== undefined && least.jobs < TASKS_PER_WORKER ? least : undefined;
  }

  /** A worker without a session, a new one, or the one whose sessions weigh least. */
  #memberFor(session: number, weight: number): Member {
    const [least] = [...this.#members].sort((a, b) => a.weight - b.weight);
    const full = this.#members.size === this.size;
    const member = least && (full || least.sessions.size === 0) ? least : this.#start();
    member.sessions.set(session, weight);
    return member;
  }

  #start(): Member {
    const events = handshake(this.#startTimeout, {
      ready: () => {
        this.#proven = true;
      },
      reply: (reply) => this.#finish(member, reply),
      crash: (cause) => this.#crash(member, cause),
    });
    const member: Member = new Member(startThread(this.#url, events), this.buffers);
    this.#members.add(member);
    return member;
  }

  #crash(member: Member, cause: unknown): void {
    if (!this.#members.has(member)) return;
    const error = new WorkerError(
      this.#proven
        ? 'Cannot finish the task: its worker died'
        : 'Cannot run the task: the worker did not start',
      { cause },
    );
    this.#remove(member, error);
    // The next worker would not start either.
    if (!this.#proven) for (const job of this.#waiting.takeAll()) job.settle({ error });
    this.#dispatch();
  }

  #finish(member: Member, reply: WorkerReply): void {
    member.finish(reply);
    this.#dispatch();
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    for (const { jobs, sessions } of this.#members) if (jobs + sessions.size > 0) return;
    this.#stayAwake?.();
    const end = () => {
      for (const member of this.#members) this.#remove(member, undefined);
      this.buffers.clear();
    };
    this.#stayAwake = startTimer(IDLE_MS, end, false);
  }

  #remove(member: Member, error: unknown): void {
    this.#members.delete(member);
    member.end(error);
  }

  #cancel(job: Job): void {
    this.#waiting.delete(job);
    for (const member of this.#members) member.cancel(job);
  }
}

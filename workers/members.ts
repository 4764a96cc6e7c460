import { startTimer } from '../platform/timer.js';
import { number, type Rules } from '../src/checks/options.js';
import { address } from '../src/checks/rules.js';
import { WorkerError } from '../src/errors.js';
import type { Buffers } from './buffers.js';
import { type Job, Member } from './member.js';
import { handshake, type WorkerReply } from './protocol.js';
import { startThread } from './thread.js';

/** Which script the threads of a pool run, and how long they may take to start. */
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

export const POOL_RULES: Rules<WorkerPoolOptions> = { url: address, startTimeout: /* @__PURE__ */ number() };

/** Tasks per worker: when it finishes one, the next has already arrived. */
export const TASKS_PER_WORKER = 2;

/** Long enough for a slow network; only a wrong script takes longer. */
const START_MS = 30_000;

/** Threads without work for this long end, and their memory is freed. */
const IDLE_MS = 10_000;

/** What happens to the threads. */
export interface MemberEvents {
  /** One has finished a task, or has been lost: another task may be posted. */
  free(): void;
  /** The first one did not start, and the next would not either. */
  unusable(error: WorkerError): void;
}

/** The threads of a pool: started when there is work for them, ended when there has been none for a while. */
export class Members {
  readonly #size: number;
  readonly #options: WorkerPoolOptions;
  readonly #buffers: Buffers;
  readonly #events: MemberEvents;
  readonly #members = new Set<Member>();
  #hasStarted = false;
  /** Stops the timer that ends idle threads. */
  #stayAwake: (() => void) | undefined;

  constructor(size: number, options: WorkerPoolOptions, buffers: Buffers, events: MemberEvents) {
    this.#size = size;
    this.#options = options;
    this.#buffers = buffers;
    this.#events = events;
  }

  /** One has started, so the script is right. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  has(member: Member): boolean {
    return this.#members.has(member);
  }

  /** An idle worker, a new one, or the one with the fewest tasks; none when all are full. */
  free(): Member | undefined {
    let least: Member | undefined;
    for (const member of this.#members) {
      if (least === undefined || member.jobs < least.jobs) least = member;
    }
    if (least?.jobs === 0) return least;
    if (this.#members.size < this.#size) return this.#start();
    return least !== undefined && least.jobs < TASKS_PER_WORKER ? least : undefined;
  }

  /** A task waits until one of them is free: the process must not end before. */
  awaitPlace(): void {
    for (const member of this.#members) member.awaitReply();
  }

  /** A worker without a session, a new one, or the one whose sessions weigh least. */
  forSession(session: number, weight: number): Member {
    const [least] = [...this.#members].sort((a, b) => a.weight - b.weight);
    const full = this.#members.size === this.#size;
    const member = least && (full || least.sessions.size === 0) ? least : this.#start();
    member.sessions.set(session, weight);
    return member;
  }

  cancel(job: Job): void {
    for (const member of this.#members) member.cancel(job);
  }

  /** Work is coming. */
  stayAwake(): void {
    this.#stayAwake?.();
  }

  endWhenIdle(): void {
    for (const { jobs, sessions } of this.#members) if (jobs + sessions.size > 0) return;
    this.#stayAwake?.();
    this.#stayAwake = startTimer(IDLE_MS, () => this.end(), false);
  }

  /** Ends all of them, with the buffers. @param error of tasks under way */
  end(error?: WorkerError): void {
    for (const member of this.#members) this.#remove(member, error);
    this.#buffers.clear();
  }

  #start(): Member {
    const { url, startTimeout = START_MS } = this.#options;
    const events = handshake(startTimeout, {
      ready: () => {
        this.#hasStarted = true;
      },
      reply: (reply) => this.#finish(member, reply),
      crash: (cause) => this.#crash(member, cause),
    });
    const member: Member = new Member(startThread(url, events), this.#buffers);
    this.#members.add(member);
    return member;
  }

  #crash(member: Member, cause: unknown): void {
    if (!this.#members.has(member)) return;
    const error = new WorkerError(
      this.#hasStarted
        ? 'Cannot finish the task: its worker died'
        : 'Cannot run the task: the worker did not start',
      { cause },
    );
    this.#remove(member, error);
    if (!this.#hasStarted) this.#events.unusable(error);
    this.#events.free();
  }

  #finish(member: Member, reply: WorkerReply): void {
    member.finish(reply);
    this.#events.free();
    this.endWhenIdle();
  }

  #remove(member: Member, error: WorkerError | undefined): void {
    this.#members.delete(member);
    member.end(error);
  }
}

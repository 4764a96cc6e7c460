import { type Observable, Subject, Subscription } from 'rxjs';
import { afterEvent, EMPTY_LANE, type Lane } from './racer/lane.js';
import type { RacerEvent, RacerRequest } from './racer/protocol.js';
import { Racer } from './racer/racer.js';
import type { Running } from './views/controls.js';

export type Lanes = { readonly holo: Lane; readonly plain: Lane; readonly own: Lane };

/** One runner of the race: its worker is replaced at each start. */
class Runner {
  lane = EMPTY_LANE;
  readonly events$: Observable<RacerEvent>;
  readonly #events = new Subject<RacerEvent>();
  #racer: Racer | undefined;
  #subscription = new Subscription();
  #ready: Promise<void> = Promise.resolve();

  constructor() {
    this.events$ = this.#events.asObservable();
  }

  /** Ends what is running, and makes a worker ready. */
  prepare(): Promise<void> {
    this.reset();
    const racer = new Racer();
    this.#racer = racer;
    this.#ready = new Promise((resolve) => {
      this.#subscription = racer.events$.subscribe((event) => {
        if (event.type === 'ready' || event.type === 'failed') resolve();
        this.lane = afterEvent(this.lane, event);
        this.#events.next(event);
      });
    });
    return this.#ready;
  }

  send(request: RacerRequest): void {
    this.#racer?.send(request);
  }

  /** Ends what is running, and forgets it. */
  reset(): void {
    this.#subscription.unsubscribe();
    this.#racer?.close();
    this.#racer = undefined;
    this.lane = EMPTY_LANE;
  }
}

/** The same model in two forms, each alone on a connection of the same speed; and a model of the user's. */
export class Race {
  readonly holo = new Runner();
  readonly plain = new Runner();
  readonly own = new Runner();
  readonly #runners = [this.holo, this.plain, this.own];
  /** At most once per frame. */
  readonly changes$: Observable<void>;
  readonly #changes = new Subject<void>();
  readonly #files: { readonly holo: string; readonly plain: string };
  #rate = 0;
  #starts = 0;
  #frame = 0;

  constructor(files: { readonly holo: string; readonly plain: string }) {
    this.#files = files;
    this.changes$ = this.#changes.asObservable();
    this.holo.events$.subscribe((event) => {
      // Both stop where a link says that one does.
      if (event.type === 'stopped') this.#pausePlain();
      this.#changed();
    });
    this.plain.events$.subscribe(() => this.#changed());
    this.own.events$.subscribe(() => this.#changed());
  }

  get lanes(): Lanes {
    return { holo: this.holo.lane, plain: this.plain.lane, own: this.own.lane };
  }

  get running(): Running {
    const statuses = this.#runners.map(({ lane }) => lane.status);
    if (statuses.includes('paused')) return 'paused';
    return statuses.some((status) => ['preparing', 'loading', 'cut'].includes(status)) ? 'running' : 'idle';
  }

  /** Changes the speed of what is under way, too. */
  set rate(rate: number) {
    this.#rate = rate;
    this.#send({ type: 'rate', rate });
  }

  async start(rate: number, stopAt: number | undefined): Promise<void> {
    this.#rate = rate;
    this.#starts += 1;
    const number = this.#starts;
    this.own.reset();
    const ready = Promise.all([this.holo, this.plain].map((runner) => runner.prepare()));
    this.#changed();
    // Neither begins before both can.
    await ready;
    if (number !== this.#starts) return;
    for (const [name, runner] of [
      ['holo', this.holo],
      ['plain', this.plain],
    ] as const) {
      if (runner.lane.status === 'failed') continue;
      runner.lane = { ...runner.lane, status: 'loading' };
      const file = new URL(this.#files[name], location.href).href;
      runner.send({
        type: 'start',
        file,
        rate: this.#rate,
        task: 'digits',
        stopAt: name === 'holo' ? stopAt : undefined,
      });
    }
    this.#changed();
  }

  /** Loads a model of the user's, given by its URL or as a file. */
  async startOwn(file: string | Blob, rate: number, stopAt?: number): Promise<void> {
    this.#rate = rate;
    const ready = this.own.prepare();
    this.own.lane = { ...this.own.lane, status: 'preparing' };
    this.#changed();
    await ready;
    this.own.send({ type: 'start', file, rate: this.#rate, task: 'none', stopAt });
  }

  togglePause(): void {
    const isPaused = this.running === 'paused';
    for (const runner of this.#runners) {
      const { status } = runner.lane;
      if (isPaused ? status !== 'paused' : status !== 'loading' && status !== 'cut') continue;
      runner.lane = { ...runner.lane, status: isPaused ? 'loading' : 'paused' };
      runner.send({ type: isPaused ? 'resume' : 'pause' });
    }
    this.#changed();
  }

  cancel(): void {
    this.#send({ type: 'cancel' });
  }

  cut(): void {
    this.#send({ type: 'cut' });
  }

  #pausePlain(): void {
    if (this.plain.lane.status !== 'loading') return;
    this.plain.lane = { ...this.plain.lane, status: 'paused' };
    this.plain.send({ type: 'pause' });
  }

  #send(request: RacerRequest): void {
    for (const runner of this.#runners) runner.send(request);
  }

  #changed(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#changes.next();
    });
  }
}

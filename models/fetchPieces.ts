import { PieceReader } from './pieceReader.js';
import { type PlannedPiece, takeRun } from './planning.js';

export interface LoadRunOptions {
  readonly signal: AbortSignal;
  /** Requests at a time. */
  readonly lanes: number;
  readonly onBytes: (bytes: number) => void;
  /** Takes a piece; the next one of the same request is read when it has. */
  readonly onPiece: (piece: PlannedPiece, bytes: Uint8Array) => Promise<void>;
  /** Asked before each piece: false ends the load there. */
  readonly goOn: (piece: PlannedPiece) => boolean;
}

/** Fetches pieces in the order of a queue that may change meanwhile: adjacent ones by one request. */
export class LoadRun {
  readonly #options: LoadRunOptions;
  #queue: PlannedPiece[];
  /** Counts reorderings: a request that was begun before one ends at its next piece. */
  #generation = 0;
  #paused: { readonly until: Promise<void>; readonly resume: () => void } | undefined;
  readonly #stop = new AbortController();

  constructor(queue: readonly PlannedPiece[], options: LoadRunOptions) {
    this.#queue = [...queue];
    this.#options = options;
  }

  /** @throws what sources, decoders and an aborted signal throw */
  async run(): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const abort = () => this.fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.all(Array.from({ length: this.#options.lanes }, () => this.#lane()));
    } catch (error) {
      this.fail(error);
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    signal.throwIfAborted();
    if (this.#stop.signal.aborted && this.#stop.signal.reason !== FINISHED) throw this.#stop.signal.reason;
  }

  /** Ends the load without an error: what has been fetched stays. */
  finish(): void {
    this.#queue = [];
    this.resume();
    this.#stop.abort(FINISHED);
  }

  pause(): void {
    if (this.#paused !== undefined) return;
    let resume!: () => void;
    const until = new Promise<void>((resolve) => {
      resume = resolve;
    });
    this.#paused = { until, resume };
  }

  resume(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }

  reorder(order: (queue: readonly PlannedPiece[]) => PlannedPiece[]): void {
    this.#generation += 1;
    this.#queue = order(this.#queue);
    this.#order = order;
  }

  #order: (queue: readonly PlannedPiece[]) => PlannedPiece[] = (queue) => [...queue];

  async #lane(): Promise<void> {
    for (;;) {
      await this.#paused?.until;
      const run = takeRun(this.#queue);
      if (run.length === 0 || this.#stop.signal.aborted) return;
      try {
        const rest = await this.#fetch(run);
        if (rest.length > 0) this.#queue = this.#order([...rest, ...this.#queue]);
      } catch (error) {
        if (this.#stop.signal.reason === FINISHED) return;
        throw error;
      }
    }
  }

  /** @returns the pieces that were left because the order has changed */
  async #fetch(run: readonly PlannedPiece[]): Promise<PlannedPiece[]> {
    const { onBytes, onPiece, goOn } = this.#options;
    const generation = this.#generation;
    const [first, last] = [run[0]!, run.at(-1)!];
    const source = await first.file.acquire();
    const { signal } = this.#stop;
    const stream = source.stream({ start: first.offset, end: last.offset + last.length, signal });
    const reader = new PieceReader(stream, onBytes);
    try {
      for (const [i, piece] of run.entries()) {
        await this.#paused?.until;
        signal.throwIfAborted();
        if (this.#generation !== generation) return run.slice(i);
        if (!goOn(piece)) {
          this.finish();
          return [];
        }
        await onPiece(piece, await reader.read(piece.length));
      }
      return [];
    } finally {
      await reader.cancel().catch(() => {});
      await first.file.release(source);
    }
  }

  /** Ends the load with an error. */
  fail(reason: unknown): void {
    this.#queue = [];
    this.resume();
    this.#stop.abort(reason);
  }
}

const FINISHED = new Error('the load has all it wants');

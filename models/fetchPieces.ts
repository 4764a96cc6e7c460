import { onAbort, untilAborted } from '../platform/abort.js';
import { isPromise, type Soon } from '../src/async/after.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { RandomAccessSource } from '../src/source.js';
import type { PieceFile } from './inputs/content.js';
import { PieceReader, type PieceReaderOptions } from './pieceReader.js';
import type { PlannedPiece } from './planning.js';

export interface PieceFetcherOptions extends AbortOptions, PieceReaderOptions {
  /** Requests at a time. */
  readonly concurrency: number;
  /**
   * Takes a piece; the next one of the same request is read when it has done so.
   * @param isOwn nothing else uses the memory of the bytes
   */
  readonly onPiece: (piece: PlannedPiece, bytes: Uint8Array, isOwn: boolean) => Soon<void>;
  /** Asked before each piece: false ends the run there. */
  readonly goesOn: (piece: PlannedPiece) => boolean;
}

/** The abort reason of requests that end because no more pieces are needed. */
const FINISHED = new Error('no more pieces are wanted');

/** Fetches pieces in the order of a queue that may change meanwhile. Adjacent pieces are one request. */
export class PieceFetcher {
  readonly #options: PieceFetcherOptions;
  #queue: readonly PlannedPiece[];
  /** Where the queue begins: those before have been taken. */
  #next = 0;
  #order: (queue: readonly PlannedPiece[]) => PlannedPiece[] = (queue) => [...queue];
  /** Counts reorderings: a request that was begun before one ends at its next piece. */
  #generation = 0;
  #paused: { readonly until: Promise<void>; readonly resume: () => void } | undefined;
  readonly #stop = new AbortController();

  constructor(queue: readonly PlannedPiece[], options: PieceFetcherOptions) {
    this.#queue = [...queue];
    this.#options = options;
  }

  /** @throws what sources, `onPiece` and an aborted signal throw */
  async run(): Promise<void> {
    const { signal, concurrency } = this.#options;
    signal?.throwIfAborted();
    const removeAbort = signal && onAbort(signal, (reason) => this.fail(reason));
    try {
      const requests = Math.min(Math.floor(concurrency), this.#queue.length);
      await Promise.all(Array.from({ length: requests }, () => this.#fetchAll()));
    } catch (error) {
      // The reason of the first failure: what follows from it, such as a stream that ends early, says less.
      this.fail(error);
      throw this.#stop.signal.reason;
    } finally {
      removeAbort?.();
    }
    signal?.throwIfAborted();
    if (this.#stop.signal.aborted && this.#stop.signal.reason !== FINISHED) throw this.#stop.signal.reason;
  }

  /** Ends the run without an error. */
  finish(): void {
    this.fail(FINISHED);
  }

  /** Ends the run with an error. */
  fail(reason: unknown): void {
    this.#wait([]);
    this.resume();
    this.#stop.abort(reason);
  }

  pause(): void {
    // A run that has been stopped only has to end.
    if (this.#paused !== undefined || this.#stop.signal.aborted) return;
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
    this.#wait(order(this.#waiting));
    this.#order = order;
  }

  get #waiting(): readonly PlannedPiece[] {
    return this.#queue.slice(this.#next);
  }

  #wait(queue: readonly PlannedPiece[]): void {
    this.#queue = queue;
    this.#next = 0;
  }

  /** Takes the adjacent pieces from the front of the queue, for one request. */
  #takeRun(): PlannedPiece[] {
    const from = this.#next;
    const first = this.#queue[from];
    let end = first?.offset;
    for (let piece = first; piece !== undefined; piece = this.#queue[this.#next]) {
      if (piece.file !== first!.file || piece.offset !== end) break;
      end = piece.offset + piece.length;
      // Not shift(), which moves all the others.
      this.#next += 1;
    }
    return this.#queue.slice(from, this.#next);
  }

  async #fetchAll(): Promise<void> {
    for (;;) {
      await this.#paused?.until;
      const run = this.#takeRun();
      if (run.length === 0 || this.#stop.signal.aborted) return;
      try {
        const rest = await this.#fetch(run);
        if (rest.length > 0) this.#wait(this.#order([...rest, ...this.#waiting]));
      } catch (error) {
        if (this.#stop.signal.reason === FINISHED) return;
        throw error;
      }
    }
  }

  /** @returns the pieces that were left because the order has changed */
  async #fetch(run: readonly PlannedPiece[]): Promise<PlannedPiece[]> {
    const { onPiece, goesOn } = this.#options;
    const generation = this.#generation;
    const [first, last] = [run[0]!, run.at(-1)!];
    const { signal } = this.#stop;
    const source = await this.#acquire(first.file);
    const stream = source.stream({ start: first.offset, end: last.offset + last.length, signal });
    const reader = new PieceReader(stream, this.#options);
    // A source that hears no signal, and is silent, ends by this.
    const removeAbort = onAbort(signal, (reason) => void reader.cancel(reason).catch(() => {}));
    try {
      for (let i = 0; i < run.length; i++) {
        const piece = run[i]!;
        // Pieces come by the thousand, many of them in one chunk: what need not wait takes no promise.
        if (this.#paused !== undefined) await this.#paused.until;
        signal.throwIfAborted();
        if (this.#generation !== generation) return run.slice(i);
        if (!goesOn(piece)) {
          this.finish();
          return [];
        }
        const read = reader.read(piece.length);
        const { bytes, isOwn } = isPromise(read) ? await read : read;
        const taken = onPiece(piece, bytes, isOwn);
        if (isPromise(taken)) await taken;
      }
      await reader.end();
      return [];
    } finally {
      removeAbort();
      const released = release(first.file, source, reader);
      // A source that takes its time to close does not hold up a run that has been stopped.
      if (signal.aborted) released.catch(() => {});
      else await released;
    }
  }

  /** Opens a file; one that opens after the run has been stopped is closed again. */
  #acquire(file: PieceFile): Promise<RandomAccessSource> {
    const { signal } = this.#stop;
    const acquired = file.acquire();
    acquired.then((source) => (signal.aborted ? file.release(source) : undefined)).catch(() => {});
    return untilAborted(acquired, signal);
  }
}

async function release(file: PieceFile, source: RandomAccessSource, reader: PieceReader): Promise<void> {
  await reader.cancel().catch(() => {});
  await file.release(source);
}

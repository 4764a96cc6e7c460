/** Between two looks at the rate, in ms: a change is felt that soon. */
const LOOK_MS = 50;
/** What the system keeps for a reader that is busy, in ms of the rate. */
const BUFFERED_MS = 500;
/** Fewer bytes than these are not held back: a timer waits for a millisecond at least. */
const SMALLEST_SLICE = 256;

export interface ConnectionOptions {
  /** Bytes per second. */
  readonly rate: number;
  /** Milliseconds from a request to its response. */
  readonly latency: number;
  /** Makes the requests. Default: the engine's `fetch`. */
  readonly fetch?: typeof fetch;
  /** Bytes of bodies that have passed. */
  readonly onBytes?: (bytes: number) => void;
}

/** A connection of a chosen speed that can be cut: its `fetch` is that of the page, but slower. */
export class SimulatedConnection {
  /** Bytes per second; a change takes effect in bodies under way. */
  rate: number;
  readonly #latency: number;
  readonly #fetch: typeof fetch;
  readonly #onBytes: (bytes: number) => void;
  /** Ends what is under way when the connection is cut. */
  #line = new AbortController();
  /** Until when it is down. */
  #down = 0;
  /** Bytes that have passed, but whose time has not. */
  #owed = 0;
  #since = 0;

  constructor({ rate, latency, fetch: inner, onBytes = () => {} }: ConnectionOptions) {
    this.rate = rate;
    this.#latency = latency;
    this.#fetch = inner ?? ((input, init) => fetch(input, init));
    this.#onBytes = onBytes;
  }

  /** Breaks all responses under way, and fails requests for some time. */
  cut(milliseconds: number): void {
    this.#down = performance.now() + milliseconds;
    this.#line.abort(new TypeError('the connection was cut'));
    this.#line = new AbortController();
  }

  readonly fetch: typeof fetch = async (input, init) => {
    await sleep(this.#latency);
    // Nothing has come while nothing was asked for.
    this.#since = Math.max(this.#since, performance.now() - LOOK_MS);
    init?.signal?.throwIfAborted();
    if (performance.now() < this.#down) throw new TypeError('the connection is down');
    const { signal } = this.#line;
    const response = await this.#fetch(input, init);
    const body = response.body && this.#paced(response.body, signal);
    const { status, headers } = response;
    return new Response(body, { status, headers });
  };

  /** The same bytes at the rate of the connection, a slice at a time and never ahead of the reader. */
  #paced(body: ReadableStream<Uint8Array>, line: AbortSignal): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let chunk: Uint8Array = new Uint8Array(0);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (chunk.length === 0) {
            const { done, value } = await reader.read();
            if (done) return controller.close();
            chunk = value;
          }
          const slice = chunk.subarray(0, Math.max(SMALLEST_SLICE, Math.ceil((this.rate * LOOK_MS) / 1000)));
          await this.#pass(slice.length, line);
          if (line.aborted) {
            // One that was aborted meanwhile repeats its reason.
            reader.cancel(line.reason).catch(() => {});
            throw line.reason;
          }
          chunk = chunk.subarray(slice.length);
          this.#onBytes(slice.length);
          controller.enqueue(slice.slice());
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** Waits as long as these bytes take at the rate, whatever that becomes meanwhile. */
  async #pass(bytes: number, line: AbortSignal): Promise<void> {
    this.#settle();
    this.#owed += bytes;
    while (this.#owed > 0 && !line.aborted) {
      await sleep(Math.min(LOOK_MS, (1000 * this.#owed) / this.rate));
      this.#settle();
    }
  }

  /** Bytes go on arriving while their reader computes, up to what the system keeps. */
  #settle(): void {
    const now = performance.now();
    const credit = -(this.rate * BUFFERED_MS) / 1000;
    this.#owed = Math.max(credit, this.#owed - (this.rate * (now - this.#since)) / 1000);
    this.#since = now;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

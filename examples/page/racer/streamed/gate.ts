/** What a stream that is paused waits at: nothing is read meanwhile, so nothing more is sent. */
export class Gate {
  #closed: Promise<void> | undefined;
  #release = () => {};

  close(): void {
    this.#closed ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  open(): void {
    this.#closed = undefined;
    this.#release();
  }

  /** The chunks of a stream, each asked for while the gate is open; the stream is cancelled if they are not all wanted. */
  async *passed<T>(stream: ReadableStream<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const reader = stream.getReader();
    try {
      for (;;) {
        await this.#closed;
        signal.throwIfAborted();
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      // Ended streams take no notice.
      void reader.cancel().catch(() => {});
    }
  }
}

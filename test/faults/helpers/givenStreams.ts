/** Streams that a caller passes in: they must have ended or been cancelled, and must not be locked. */
export class GivenStreams {
  readonly #open = new Set<ReadableStream>();
  readonly #all = new Set<ReadableStream>();

  /** The bytes in chunks of 8 KiB, each in a task of its own. */
  of(bytes: Uint8Array): ReadableStream<Uint8Array> {
    let at = 0;
    const stream: ReadableStream<Uint8Array> = new ReadableStream(
      {
        pull: async (controller) => {
          await new Promise((resolve) => setImmediate(resolve));
          if (at >= bytes.length) {
            controller.close();
            this.#open.delete(stream);
          } else controller.enqueue(bytes.slice(at, at + 8192));
          at += 8192;
        },
        cancel: () => void this.#open.delete(stream),
      },
      { highWaterMark: 0 },
    );
    this.#open.add(stream);
    this.#all.add(stream);
    return stream;
  }

  /** What is wrong with them. */
  left(): string[] {
    return [...this.#all].flatMap((stream) => [
      ...(this.#open.has(stream) ? ['a stream that was not cancelled'] : []),
      ...(stream.locked ? ['a locked stream'] : []),
    ]);
  }

  forget(): void {
    this.#open.clear();
    this.#all.clear();
  }
}

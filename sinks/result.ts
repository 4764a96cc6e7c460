/** Work that takes bytes and ends in a result. */
export interface ResultWork<T> {
  write(chunk: Uint8Array): Promise<void> | undefined;
  close(): Promise<T>;
  /** Called once at most, also when `write` or `close` has failed: a stream whose write fails is never aborted. */
  abort(reason: unknown): Promise<void> | undefined;
  /** Ends a write under way: streams hear of an abort only after it, and it may wait for another thread. */
  interrupt?(): void;
}

/** What a stream writes to that does this work, and the result: it rejects with what the stream fails with. */
export function withResult<T>(work: ResultWork<T>): {
  readonly sink: UnderlyingSink<Uint8Array>;
  readonly result: Promise<T>;
} {
  let resolve!: (result: T) => void;
  let reject!: (reason: unknown) => void;
  const result = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  // The pipe reports the error to its caller; the promise must not report it a second time as unhandled.
  result.catch(() => {});
  const abort = async (reason: unknown) => {
    reject(reason);
    await work.abort(reason);
  };
  const fail = async (error: unknown) => {
    await abort(error).catch(() => {});
    throw error;
  };
  const sink: UnderlyingSink<Uint8Array> = {
    start({ signal }) {
      signal.addEventListener('abort', () => work.interrupt?.(), { once: true });
    },
    write(chunk) {
      try {
        // Many small chunks are written at once: they must not cost a microtask each.
        return work.write(chunk)?.catch(fail);
      } catch (error) {
        return fail(error);
      }
    },
    close: () => work.close().then(resolve, fail),
    abort,
  };
  return { sink, result };
}

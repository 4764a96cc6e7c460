type Callback = (reason: unknown) => void;

const callbacksOf = new WeakMap<AbortSignal, Set<Callback>>();

/**
 * Calls back when the signal aborts, which it has not done yet. A signal gets one listener however many streams and
 * reads hang on it: Node warns of a leak from the eleventh on, and its `AbortSignal.any` does leak as long as a
 * signal lives.
 * @returns takes the callback away again
 */
export function onAbort(signal: AbortSignal, callback: Callback): () => void {
  let callbacks = callbacksOf.get(signal);
  if (callbacks === undefined) {
    const all = new Set<Callback>();
    callbacks = all;
    callbacksOf.set(signal, all);
    signal.addEventListener(
      'abort',
      () => {
        for (const call of [...all]) call(signal.reason);
      },
      { once: true },
    );
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

/** Those of the signals that are there. */
export function signalsOf(...signals: (AbortSignal | undefined)[]): AbortSignal[] {
  return signals.filter((signal) => signal !== undefined);
}

/** The reason of streams and reads that end because their source was closed. */
export function closedError(): DOMException {
  return new DOMException('the source was closed', 'AbortError');
}

/** Waits, or rejects with the reason of the signal that aborts first. */
export function sleep(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of signals) if (signal.aborted) return reject(signal.reason);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      for (const remove of removers) remove();
      settle();
    };
    const timer = setTimeout(() => end(resolve), ms);
    const removers = signals.map((signal) => onAbort(signal, (reason) => end(() => reject(reason))));
  });
}

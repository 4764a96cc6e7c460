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

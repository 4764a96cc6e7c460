type Callback = (reason: unknown) => void;

const callbacksOf = new WeakMap<AbortSignal, Set<Callback>>();

/**
 * Calls `callback` when the signal aborts, which must not have happened yet. A signal gets one listener for any number
 * of streams and reads, because Node warns of a leak from the eleventh on, and its `AbortSignal.any` leaks for the life
 * of a signal.
 * @returns removes the callback
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

/**
 * Runs work with a signal of its own, which aborts when `signal` does: for what adds listeners to the signals that it is
 * given, such as `pipeTo`, and for work that aborts parts of itself.
 */
export async function withOwnSignal<T>(
  signal: AbortSignal | undefined,
  work: (own: AbortSignal, abort: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  if (signal?.aborted) own.abort(signal.reason);
  const remove = signal && onAbort(signal, (reason) => own.abort(reason));
  try {
    return await work(own.signal, (reason) => own.abort(reason));
  } finally {
    remove?.();
  }
}

/**
 * The same promise, which rejects with the signal's reason when that aborts: for what may not hear of an abort. Node's
 * `fetch`, for one, leaves a read of a body pending for ever when the abort comes at the wrong moment.
 */
export function untilAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let remove: (() => void) | undefined;
    if (signal.aborted) reject(signal.reason);
    else remove = onAbort(signal, reject);
    waiting.then(resolve, reject).then(remove);
  });
}

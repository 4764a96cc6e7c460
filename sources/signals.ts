import { onAbort } from '../src/abort.js';

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

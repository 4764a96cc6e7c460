import { promiseHooks } from 'node:v8';

/** How work ended whose signal aborted before its n-th `await` continued. */
export interface Aborted {
  readonly outcome: PromiseSettledResult<unknown>;
  /** How often anything in this process continued after an `await` meanwhile. */
  readonly awaits: number;
  readonly reason: Error;
  readonly signal: AbortSignal;
}

/** Runs work, and aborts its signal before the n-th promise reaction from there on; never for Infinity. */
export async function abortAt(n: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<Aborted> {
  const reason = new Error(`aborted at await ${n}`);
  const controller = new AbortController();
  const { signal } = controller;
  let awaits = 0;
  const stop = promiseHooks.createHook({
    before() {
      if (awaits++ === n) controller.abort(reason);
    },
  }) as () => void;
  const [outcome] = await Promise.allSettled([work(signal)]);
  stop();
  return { outcome, awaits, reason, signal };
}

/** Signals that end a command, and their numbers. */
const SIGNALS = [
  // The terminal has been closed.
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;

/** Calls back at the first signal of each kind; a second one ends the process at once. */
export function onSignal(call: (signal: NodeJS.Signals, number: number) => void): void {
  for (const [signal, number] of SIGNALS) process.once(signal, () => call(signal, number));
}

/**
 * Lets the first signal end the process at once, for work that holds the thread for long and writes nothing: no handler
 * would run meanwhile.
 */
export async function endedBySignals<T>(work: () => Promise<T>): Promise<T> {
  const handlers = SIGNALS.map(([signal]) => [signal, process.rawListeners(signal)] as const);
  for (const [signal] of handlers) process.removeAllListeners(signal);
  try {
    return await work();
  } finally {
    for (const [signal, own] of handlers)
      for (const handler of own) process.on(signal, handler as NodeJS.SignalsListener);
  }
}

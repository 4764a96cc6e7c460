/**
 * Does work while the clock and the timers stand still, and move when they are told to. On a busy machine they move while
 * nothing is done, and what should come before a moment comes after it.
 */
export async function withSteppedClock<T>(work: (advance: (ms: number) => void) => Promise<T>): Promise<T> {
  const { now } = performance;
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Map<unknown, { readonly due: number; readonly fire: () => void }>();
  let time = 0;
  performance.now = () => time;
  globalThis.setTimeout = ((fire: () => void, ms = 0) => {
    const timer = {};
    timers.set(timer, { due: time + ms, fire });
    return timer;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    // Others began before.
    if (!timers.delete(timer)) clearTimeout(timer);
  };
  const advance = (ms: number) => {
    time += ms;
    for (const [timer, { due, fire }] of timers) {
      if (due > time) continue;
      timers.delete(timer);
      fire();
    }
  };
  try {
    return await work(advance);
  } finally {
    performance.now = now;
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

/** Runs `work` as in a page that may share memory between threads, or may not. */
export async function isolated<T>(allowed: boolean, work: () => T | Promise<T>): Promise<T> {
  Object.defineProperty(globalThis, 'crossOriginIsolated', { value: allowed, configurable: true });
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(globalThis, 'crossOriginIsolated');
  }
}

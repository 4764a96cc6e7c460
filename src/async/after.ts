/** What is there, or a promise of it where something has to wait. */
export type Soon<T> = T | Promise<T>;

export function isPromise<T>(value: Soon<T>): value is Promise<T> {
  // Not `instanceof`: where a library replaces the global class, asynchronous functions still return the engine's own.
  return value !== undefined && typeof (value as Partial<Promise<T>>)?.then === 'function';
}

/** Goes on at once where nothing has to wait: of many small steps, promises would take more time than the steps. */
export function after<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return isPromise(value) ? value.then(next) : next(value);
}

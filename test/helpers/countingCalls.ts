/** How often `work` calls a method of a built-in class. */
export function countingCalls<T extends object>(
  prototype: T,
  method: keyof T & string,
  work: () => void,
): number {
  const original = prototype[method] as (...args: unknown[]) => unknown;
  let calls = 0;
  Object.assign(prototype, {
    [method](this: unknown, ...args: unknown[]) {
      calls += 1;
      return original.apply(this, args);
    },
  });
  try {
    work();
  } finally {
    Object.assign(prototype, { [method]: original });
  }
  return calls;
}

import * as assert from 'uvu/assert';

type ErrorClass<E> = abstract new (...args: never[]) => E;

function check<E extends Error>(error: unknown, kind: ErrorClass<E>, pattern?: RegExp): E {
  if (!(error instanceof kind)) throw error;
  if (pattern !== undefined) assert.match(error.message, pattern);
  return error;
}

/** Asserts that the promise rejects with an error of this class whose message matches, and returns it. */
export async function rejects<E extends Error>(
  promise: Promise<unknown>,
  kind: ErrorClass<E>,
  pattern?: RegExp,
): Promise<E> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === 'fulfilled') assert.unreachable(`expected ${kind.name}`);
  return check((outcome as PromiseRejectedResult).reason, kind, pattern);
}

/** Asserts that the function throws an error of this class whose message matches, and returns it. */
export function throws<E extends Error>(run: () => unknown, kind: ErrorClass<E>, pattern?: RegExp): E {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) assert.unreachable(`expected ${kind.name}`);
  return check(error, kind, pattern);
}

/** Asserts that no value is off by more than `tolerance` times the largest magnitude expected. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
  name = 'values',
): void {
  assert.is(actual.length, expected.length, `${name}: how many`);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    // Written so that a NaN fails.
    if (Math.abs(actual[i]! - expected[i]!) <= tolerance * largest) continue;
    assert.unreachable(`${name} [${i}]: ${actual[i]} for ${expected[i]} (largest ${largest})`);
  }
}

import { ArgumentError } from '../errors.js';

/** @throws ArgumentError when an array that the caller gave to be filled is too long or too short */
export function checkOutputLength(out: ArrayLike<unknown>, expected: number): void {
  if (out.length === expected) return;
  throw new ArgumentError('output array has the wrong length', { expected, actual: out.length });
}

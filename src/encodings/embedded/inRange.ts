import { FormatError } from '../../errors.js';

/** @throws FormatError unless a value of a fragment is in its range */
export function inRange(what: string, value: number, low: number, high: number): number {
  if (value >= low && value <= high) return value;
  throw new FormatError(`Cannot read the embedded fragment: its ${what} is out of range`, {
    expected: `${low} to ${high}`,
    actual: value,
  });
}

import { type BenchCase, compare, warmCopy } from './harness.js';

/** For one parameter: there are many. */
const BUDGET_MS = 300;

export interface Units {
  /** How many elements a case handles. Default 2^parameter. */
  readonly count?: (parameter: number) => number;
  /** Bytes of one. Default 4. */
  readonly bytes?: number;
}

/**
 * Measures cases for each of some parameters, and says how far apart the times of an element are in the end: time that is in
 * proportion to the size stays within a factor of two, beyond the steps of the caches.
 */
export async function family(
  title: string,
  parameters: readonly number[],
  casesOf: (parameter: number) => BenchCase[] | Promise<BenchCase[]>,
  { count = (parameter) => 2 ** parameter, bytes = 4 }: Units = {},
): Promise<void> {
  const times = new Map<string, number[]>();
  for (const parameter of parameters) {
    const elements = count(parameter);
    const cases = [warmCopy(bytes * elements), ...(await casesOf(parameter))];
    for (const { name, ms } of await compare(`${title}${parameter}`, bytes * elements, cases, BUDGET_MS)) {
      times.set(name, [...(times.get(name) ?? []), (ms * 1e6) / elements]);
    }
  }
  for (const [name, values] of times) {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const range = `${least.toPrecision(3)} to ${most.toPrecision(3)} ns`;
    console.log(
      `  ${name}: ${range} ${bytes === 1 ? 'a byte' : 'an element'}, × ${(most / least).toFixed(1)}`,
    );
  }
}

import { elementCount } from '../../src/tensor/dtype.js';
import type { MeasuredTask } from './measured.js';
import { weightsOfPrefix } from './prefix.js';

/** Steps of the parts that are tried, in percent: finer where tasks begin to work. */
const STEPS = [
  { from: 100, step: 30 },
  { from: 40, step: 10 },
  { from: 30, step: 5 },
  { from: 20, step: 1 },
  { from: 16, step: 0.5 },
  { from: 5, step: 0.25 },
] as const;

export interface Point {
  /** Percent of the F32 bytes. */
  readonly part: number;
  readonly value: number;
}

/** Parts from all bytes down to a quarter of a percent. */
function allParts(): number[] {
  const all: number[] = [];
  for (const [i, { from, step }] of STEPS.entries()) {
    for (let part = from; part > (STEPS[i + 1]?.from ?? 0); part -= step) all.push(part);
  }
  return all;
}

/** The part and some larger ones, from all bytes down: enough to see whether a task holds from it on. */
export function partsDownTo(most: number): number[] {
  return [100, 3 * most, 2 * most, 1.5 * most, 1.2 * most, most].filter((part) => part <= 100);
}

/**
 * The smallest part of the F32 bytes from which on the task holds: it does at all larger ones, too. The bytes are those
 * of the file's beginning, its header included.
 * @returns undefined if it does not even hold with the whole file; the points that were tried
 */
export async function smallestPart(
  { tensors, evaluate, holds }: MeasuredTask,
  file: Uint8Array,
  whole: number,
  parts = allParts(),
): Promise<{ readonly smallest: number | undefined; readonly points: readonly Point[] }> {
  const total = tensors.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const points: Point[] = [];
  let smallest: number | undefined;
  for (const part of parts) {
    const value = await evaluate(await weightsOfPrefix(file, (part / 100) * total));
    points.push({ part, value });
    if (!holds(value, whole)) break;
    smallest = part;
  }
  return { smallest, points };
}

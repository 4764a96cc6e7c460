import { elementCount } from '../../src/tensor/dtype.js';
import { holds, type MeasuredTask } from './measuredTask.js';
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
  const larger = [3, 2, 1.5, 1.2, 1.1, 1.05, 1].map((factor) => factor * most);
  return [100, ...larger.filter((part) => part < 100)];
}

export interface Found {
  /** Undefined if the task does not even hold with the whole file. */
  readonly smallest: number | undefined;
  /** The value with the network's own weights. */
  readonly whole: number;
  /** What was tried, from the largest part down. */
  readonly points: readonly Point[];
}

export interface Tried {
  readonly parts?: readonly number[];
  /** Where to go on below the first part at which the task does not hold, as parts of that. */
  readonly below?: readonly number[];
}

/**
 * The smallest part of the F32 bytes from which on the task holds: it does at all larger ones, too. The bytes are those
 * of the file's beginning, its header included.
 */
export async function smallestPart(
  task: MeasuredTask,
  file: Uint8Array,
  { parts = allParts(), below = [] }: Tried = {},
): Promise<Found> {
  const { tensors, evaluate } = task;
  const total = tensors.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const whole = await evaluate(new Map(tensors.map(({ name, data }) => [name, data])));
  const points: Point[] = [];
  const valueAt = async (part: number) => {
    const value = await evaluate(await weightsOfPrefix(file, (part / 100) * total));
    points.push({ part, value });
    return value;
  };
  let smallest: number | undefined;
  for (const part of parts) {
    if (!holds(task, await valueAt(part), whole)) {
      for (const factor of below) await valueAt(factor * part);
      break;
    }
    smallest = part;
  }
  return { smallest, whole, points };
}

import type { Task, Weights } from '../../test/helpers/tasks/task.js';

/** A network, and what its outputs must reach. */
export interface MeasuredTask {
  readonly name: string;
  /** What must hold, in words. */
  readonly bound: string;
  /** The safetensors file of the network, and its F32 tensors. */
  readonly source: Uint8Array;
  readonly tensors: Task['tensors'];
  /** How well it works with these weights in place of its own; called with its own ones first. */
  evaluate(weights: Weights): number | Promise<number>;
  /** Up to which value the network works, by the value with its own weights. */
  limit(whole: number): number;
  /** Which values are better. */
  readonly better: 'more' | 'less';
  /** Largest part of the F32 bytes, in percent, from which on it must hold in a model file with default options. */
  readonly most: number;
  /** What it is to reach, where that is less. */
  readonly must?: number;
}

export function holds({ limit, better }: MeasuredTask, value: number, whole: number): boolean {
  return better === 'more' ? value >= limit(whole) : value <= limit(whole);
}

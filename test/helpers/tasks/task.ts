/** What real weights are for: networks, evaluated as they were when their provenance was written down. */
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { type EvaluationFile, readWeightFile, readWeights, type WeightFile } from '../weights.js';

export type Weights = ReadonlyMap<string, Float32Array>;

export interface Task {
  readonly name: string;
  /** The network's tensors as they are. */
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: Float32Array;
  }[];
  /** How well the network does its work with these weights in place of its own. */
  evaluate(weights: Weights): number;
}

export function tensorsOf(file: WeightFile): Task['tensors'] {
  return readWeights(file).map((tensor) => ({ ...tensor, name: tensor.name.slice(file.length + 1) }));
}

export function evaluationData(file: EvaluationFile): Map<string, Uint8Array> {
  const bytes = readWeightFile(file);
  return new Map(
    parseSafetensorsHeader(bytes).tensors.map(({ name, offset, byteLength }) => [
      name,
      bytes.subarray(offset, offset + byteLength),
    ]),
  );
}

/** W x + b, W row-major. */
export function dense(x: Float32Array, weight: Float32Array, bias: Float32Array): Float32Array {
  const out = new Float32Array(bias.length);
  for (let o = 0, at = 0; o < out.length; o++) {
    // Two sums, because an addition waits for the one before it.
    let even = bias[o]!;
    let odd = 0;
    for (let i = 0; i < x.length; i += 2, at += 2) {
      even += weight[at]! * x[i]!;
      odd += weight[at + 1]! * x[i + 1]!;
    }
    out[o] = even + odd;
  }
  return out;
}

export function relu(x: Float32Array): Float32Array {
  return x.map((value) => Math.max(0, value));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export function indexOfLargest(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

/** Insertions, deletions and replacements that make one list of the other (Levenshtein distance). */
export function editDistance(a: readonly unknown[], b: readonly unknown[]): number {
  let distances = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, one] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      next.push(Math.min(next[j]! + 1, distances[j + 1]! + 1, distances[j]! + (one === other ? 0 : 1)));
    }
    distances = next;
  }
  return distances.at(-1)!;
}

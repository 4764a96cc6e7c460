import { ArgumentError } from '../errors.js';

/** How close one tensor is to another. */
export interface Similarity {
  /** a·b / (‖a‖ ‖b‖); 0 if one of them is all zeros, 1 if both are. */
  readonly cosine: number;
  /** ‖a − b‖ / ‖a‖; if `a` is all zeros, 0 if `b` is too, otherwise infinite. */
  readonly relativeError: number;
}

/**
 * Compares a reconstruction with its original, in double precision.
 * @throws ArgumentError when they have different lengths
 */
export function similarity(original: Float32Array, reconstructed: Float32Array): Similarity {
  if (original.length !== reconstructed.length) {
    throw new ArgumentError('Cannot compare the tensors: they differ in size', {
      expected: original.length,
      actual: reconstructed.length,
    });
  }
  let [dot, energy, otherEnergy, error] = [0, 0, 0, 0];
  for (let i = 0; i < original.length; i++) {
    const a = original[i]!;
    const b = reconstructed[i]!;
    dot += a * b;
    energy += a * a;
    otherEnergy += b * b;
    error += (a - b) ** 2;
  }
  const same = energy === 0 && otherEnergy === 0;
  const cosine = energy === 0 || otherEnergy === 0 ? Number(same) : dot / Math.sqrt(energy * otherEnergy);
  return { cosine, relativeError: same ? 0 : Math.sqrt(error / energy) };
}

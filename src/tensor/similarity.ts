import { check } from '../checks/options.js';
import { ArgumentError } from '../errors.js';
import { typedArray } from './tensor.js';

/** How close one tensor is to another, over the finite elements of the original. Never NaN. */
export interface Similarity {
  /** a·b / (‖a‖ ‖b‖); 0 if one of them is all zeros, 1 if both are. 0 where a finite element has become NaN or infinite. */
  readonly cosine: number;
  /** ‖a − b‖ / ‖a‖; if `a` is all zeros, 0 if `b` is too, otherwise infinite; so where a finite element is no longer. */
  readonly relativeError: number;
}

/**
 * Compares a reconstruction with its original, in double precision. Elements that are NaN or infinite in the original do
 * not count: no number is close to them.
 * @throws ArgumentError when they have different lengths
 */
export function similarity(original: Float32Array, reconstructed: Float32Array): Similarity {
  check('original', original, typedArray('Float32Array'));
  check('reconstructed', reconstructed, typedArray('Float32Array'));
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
    if (!Number.isFinite(a)) continue;
    if (!Number.isFinite(b)) return { cosine: 0, relativeError: Number.POSITIVE_INFINITY };
    dot += a * b;
    energy += a * a;
    otherEnergy += b * b;
    error += (a - b) ** 2;
  }
  const same = energy === 0 && otherEnergy === 0;
  const cosine = energy === 0 || otherEnergy === 0 ? Number(same) : dot / Math.sqrt(energy * otherEnergy);
  return { cosine, relativeError: same ? 0 : Math.sqrt(error / energy) };
}

import { ArgumentError, FormatError } from '../errors.js';
import type { EncodingQuality } from './encoding.js';
import { assertFinite } from './finite.js';

/** Σ v² in f64: values of f32 cannot overflow it, so it is finite exactly when all of them are. */
export function energyOf(values: Float32Array): number {
  // Four sums, because each addition waits for the one before it.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * values[i]!;
  return a + b + (c + d);
}

/**
 * Checks a tensor that is transformed in f32 by its energy, or that of its coefficients: the same.
 * @throws ArgumentError for a value that is not finite, naming its index, and for a norm beyond f32: coefficients
 *   can be as large as the norm
 */
export function assertTransformable(values: Float32Array, energy: number): void {
  if (!Number.isFinite(energy)) assertFinite(values);
  const norm = Math.sqrt(energy);
  if (!Number.isFinite(Math.fround(norm))) {
    throw new ArgumentError('the L2 norm of the tensor is too large for f32', {
      expected: 'at most 3.4e38',
      actual: norm,
    });
  }
}

/** The energy of a tensor that is transformed in f32. @throws ArgumentError as `assertTransformable` does */
export function energyOfInput(values: Float32Array): number {
  const energy = energyOf(values);
  assertTransformable(values, energy);
  return energy;
}

/**
 * The energy of the coefficients of a fragment.
 * @throws FormatError when one of them is not finite
 */
export function energyOfFragment(coefficients: Float32Array, fragmentIndex: number): number {
  const energy = energyOf(coefficients);
  if (Number.isFinite(energy)) return energy;
  throw new FormatError('fragment payload: a coefficient is not finite', { fragmentIndex });
}

/**
 * Quality of a reconstruction that is an orthogonal projection of the tensor: x̂ ⟂ x − x̂, so the cosine similarity is
 * ‖x̂‖ / ‖x‖ and ‖x − x̂‖² = ‖x‖² − ‖x̂‖². The stored norm has f32 precision, so errors below about 3e-4
 * cannot be told from zero.
 * @param captured ‖x̂‖²
 * @param complete nothing is missing: exact, but for the rounding of f32. Default: when the fraction is 1
 */
export function projectionQuality(
  fraction: number,
  captured: number,
  norm: number | undefined,
  complete = fraction === 1,
): EncodingQuality {
  if (norm === undefined) return { fraction, cosine: undefined, relativeError: undefined };
  if (complete || norm === 0) return { fraction, cosine: 1, relativeError: 0 };
  const cosine = Math.min(1, Math.sqrt(captured) / norm);
  return { fraction, cosine, relativeError: Math.sqrt(1 - cosine * cosine) };
}

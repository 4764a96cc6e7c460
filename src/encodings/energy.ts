import type { EncodedFragments, EncodingQuality } from './encoding.js';

/**
 * Energies (Σ v²) of fragments that hold orthogonal parts of a tensor, and what they tell of the quality of
 * reconstructions: for spectral, random projection and low-rank.
 */

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

/** How much of a tensor's energy its fragments hold. */
export interface FragmentEnergies {
  /** What fragment k adds to the fragments before it. */
  readonly added: readonly number[];
  /** What fragment k alone holds. */
  readonly alone: readonly number[];
}

/** Cosine similarities of single fragments that differ by no more than this count as the same quality. */
const SAME_QUALITY = 0.05;

/**
 * The description of fragments by an encoder, from energies (f64) that it has measured.
 * @param energy of the whole tensor
 */
export function describeEnergies(
  energy: number,
  { added, alone }: FragmentEnergies,
): Pick<EncodedFragments, 'norm' | 'cosines' | 'essentialFirst' | 'interleaved'> {
  // A tensor of zeros is exact before the first fragment.
  const cosine = (captured: number) => (energy === 0 ? 1 : Math.min(1, Math.sqrt(captured / energy)));
  let captured = 0;
  const cosines = added.map((gain) => {
    captured += gain;
    return cosine(captured);
  });
  let least = 1;
  let most = 0;
  for (const single of alone) {
    least = Math.min(least, cosine(single));
    most = Math.max(most, cosine(single));
  }
  const interleaved = most - least <= SAME_QUALITY;
  const descending = added.every((gain, k) => k === 0 || gain <= added[k - 1]!);
  return { norm: Math.sqrt(energy), cosines, interleaved, essentialFirst: !interleaved && descending };
}

/**
 * Quality of a reconstruction that is an orthogonal projection of the tensor: x̂ ⟂ x − x̂, so the cosine similarity is
 * ‖x̂‖ / ‖x‖ and ‖x − x̂‖² = ‖x‖² − ‖x̂‖². The stored norm has f32 precision, so errors below about 3e-4
 * cannot be distinguished from zero.
 * @param captured ‖x̂‖²
 * @param complete nothing is missing: the tensor is exact up to the rounding of f32. Default: if the fraction is 1
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

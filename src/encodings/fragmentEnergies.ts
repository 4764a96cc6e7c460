import type { EncodedFragments } from './encoding.js';

/** Cosine similarities of single fragments that differ by no more than this count as the same worth. */
const SAME_WORTH = 0.05;

/** Where fragments hold orthogonal parts of a tensor: how much of its energy they hold. */
export interface FragmentEnergies {
  /** What fragment k adds to the fragments before it. */
  readonly added: readonly number[];
  /** What fragment k is worth without any other. */
  readonly alone: readonly number[];
}

/**
 * What an encoder says of its fragments, from energies (f64) that it has measured.
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
  const interleaved = most - least <= SAME_WORTH;
  const descending = added.every((gain, k) => k === 0 || gain <= added[k - 1]!);
  return { norm: Math.sqrt(energy), cosines, interleaved, essentialFirst: !interleaved && descending };
}

/** Energy of a tensor whose fragments hold all of it. */
export function totalEnergy(added: readonly number[]): number {
  return added.reduce((sum, energy) => sum + energy, 0);
}

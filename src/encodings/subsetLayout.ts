import type { Stretches } from '../kernels/kernels.js';
import type { CoefficientFragments, CoefficientStore } from './coefficients.js';
import { Dealer, type StretchVisitor } from './dealer.js';
import { energyOf, energyOfFragment } from './energy.js';
import { createSubsetPayload, readSubsetPayload, type SubsetHeader } from './subsetPayload.js';

/**
 * The layout of SV03 and RP01: every fragment a subset of the raster that follows from its number.
 * @param transform hands the coefficients over, stretch by stretch: they go straight into the payloads
 */
export function writeSubsets(
  header: SubsetHeader,
  rotationSeed: bigint | undefined,
  transform: (take: StretchVisitor) => void,
): CoefficientFragments {
  const dealer = new Dealer(header.coefficients, header.fragments, rotationSeed);
  const fragments = Array.from(dealer.counts, (count, index) => createSubsetPayload(header, index, count));
  const parts = fragments.map(({ values }) => values);
  transform(dealer.deal(parts));
  const energies = parts.map(energyOf);
  return { payloads: fragments.map(({ payload }) => payload), added: energies, alone: energies };
}

export class SubsetStore implements CoefficientStore {
  placed = 0;
  energy = 0;
  readonly #header: SubsetHeader;
  readonly #dealer: Dealer;
  readonly #parts: (Float32Array | undefined)[];

  constructor(header: SubsetHeader, rotationSeed?: bigint) {
    this.#header = header;
    this.#dealer = new Dealer(header.coefficients, header.fragments, rotationSeed);
    this.#parts = new Array(header.fragments);
  }

  add(index: number, payload: Uint8Array): void {
    const values = readSubsetPayload(this.#header, index, this.#dealer.counts[index]!, payload);
    const energy = energyOfFragment(values, index);
    this.#parts[index] = values;
    this.placed += values.length;
    this.energy += energy;
  }

  coefficients(): Stretches {
    return this.#dealer.gather(this.#parts);
  }
}

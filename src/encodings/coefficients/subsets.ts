import type { Stretches } from '../../kernels/dct/interface.js';
import { energyOf, energyOfFragment } from '../energy.js';
import { createSubsetPayload, readSubsetPayload, type SubsetHeader } from '../payload.js';
import type { CoefficientFragments, CoefficientStore } from './coefficients.js';
import { Interleaver, type StretchVisitor } from './interleaver.js';

/**
 * The layout of SV03 and RP01: every fragment a subset of the raster that follows from its number.
 * @param transform hands the coefficients over, stretch by stretch: they go straight into the payloads
 */
export function writeSubsets(
  header: SubsetHeader,
  rotationSeed: bigint | undefined,
  transform: (take: StretchVisitor) => void,
): CoefficientFragments {
  const interleaver = new Interleaver(header.coefficients, header.fragments, rotationSeed);
  const fragments = Array.from(interleaver.counts, (count, index) =>
    createSubsetPayload(header, index, count),
  );
  const parts = fragments.map(({ values }) => values);
  transform(interleaver.deal(parts));
  const energies = parts.map(energyOf);
  return { payloads: fragments.map(({ payload }) => payload), added: energies, alone: energies };
}

export class SubsetStore implements CoefficientStore {
  placed = 0;
  energy = 0;
  readonly #header: SubsetHeader;
  readonly #interleaver: Interleaver;
  readonly #parts: (Float32Array | undefined)[];

  constructor(header: SubsetHeader, rotationSeed?: bigint) {
    this.#header = header;
    this.#interleaver = new Interleaver(header.coefficients, header.fragments, rotationSeed);
    this.#parts = new Array(header.fragments);
  }

  add(index: number, payload: Uint8Array): void {
    const values = readSubsetPayload(this.#header, index, this.#interleaver.counts[index]!, payload);
    const energy = energyOfFragment(values, index);
    this.#parts[index] = values;
    this.placed += values.length;
    this.energy += energy;
  }

  coefficients(): Stretches {
    return this.#interleaver.gather(this.#parts);
  }
}

import { FormatError } from '../../errors.js';
import type { Stretches } from '../../kernels/dct/interface.js';
import { energyOf } from '../energy.js';
import { checkLength, energyWith, readValues } from '../payload.js';
import type { CoefficientFragments, CoefficientStore } from './coefficients.js';
import { Interleaver, type StretchVisitor } from './interleaver.js';

/**
 * The layout of SV03 and RP01: every fragment has a subset of the raster that its number determines. A payload,
 * little-endian: magic u32, coefficients of the whole tensor u32, fragments u32, number of this fragment u32, count
 * u32, then the count f32 coefficients.
 */
const HEADER_BYTES = 20;

/** The fields that are the same in all fragments of a tensor. */
export interface SubsetHeader {
  readonly magic: number;
  readonly coefficients: number;
  readonly fragments: number;
}

/** @param transform passes the coefficients to `take`, stretch by stretch, which writes them to the payloads */
export function writeSubsets(
  header: SubsetHeader,
  rotationSeed: bigint | undefined,
  transform: (take: StretchVisitor) => void,
): CoefficientFragments {
  const interleaver = new Interleaver(header.coefficients, header.fragments, rotationSeed);
  const fragments = Array.from(interleaver.counts, (count, index) => createPayload(header, index, count));
  const parts = fragments.map(({ values }) => values);
  transform(interleaver.interleave(parts));
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
    const count = this.#interleaver.counts[index]!;
    checkFields(this.#header, index, count, payload);
    const { values, energy } = readValues(payload, HEADER_BYTES, count, index);
    this.energy = energyWith(this.energy, energy, index);
    this.#parts[index] = values;
    this.placed += values.length;
  }

  coefficients(): Stretches {
    return this.#interleaver.gather(this.#parts);
  }
}

/** A payload with room for `count` values, and the array to write them to. */
function createPayload(
  { magic, coefficients, fragments }: SubsetHeader,
  index: number,
  count: number,
): { readonly payload: Uint8Array; readonly values: Float32Array } {
  const payload = new Uint8Array(HEADER_BYTES + 4 * count);
  new Uint32Array(payload.buffer).set([magic, coefficients, fragments, index, count]);
  return { payload, values: new Float32Array(payload.buffer, HEADER_BYTES, count) };
}

/** @throws FormatError when a field contradicts header, index or count */
function checkFields(
  { magic, coefficients, fragments }: SubsetHeader,
  index: number,
  count: number,
  payload: Uint8Array,
): void {
  checkLength(payload, HEADER_BYTES, index);
  const fields: readonly [string, number][] = [
    ['magic', magic],
    ['number of coefficients', coefficients],
    ['number of fragments', fragments],
    ['fragment number', index],
    ['number of values', count],
  ];
  const view = new DataView(payload.buffer, payload.byteOffset, HEADER_BYTES);
  for (const [i, [name, expected]] of fields.entries()) {
    const actual = view.getUint32(4 * i, true);
    if (actual === expected) continue;
    throw new FormatError(`Cannot read the fragment payload: wrong ${name}`, {
      fragmentIndex: index,
      offset: 4 * i,
      expected,
      actual,
    });
  }
}

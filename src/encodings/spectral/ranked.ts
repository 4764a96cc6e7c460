import { FormatError } from '../../errors.js';
import { viewElements } from '../../tensor/tensor.js';
import type { CoefficientFragments, CoefficientStore } from '../coefficients/coefficients.js';
import { energyOf } from '../energy.js';
import { checkLength, energyWith, readValues } from '../payload.js';
import { rankByMagnitude } from './ranking.js';

/**
 * SV02, the layout 'ranked': fragment k holds the coefficients of ranks k, k + N, … by magnitude, and fragment 0 also
 * the list of which coefficient has which rank. Nothing can be placed before fragment 0 has arrived.
 */
export const SV02_MAGIC = 0x32305653;
/** Magic, coefficients of the tensor, fragments (fragment 0) or magic, first rank, count (the others). */
const HEADER_BYTES = 12;

export function writeRanked(coefficients: Float32Array, fragments: number): CoefficientFragments {
  const { order, values: ranked } = rankByMagnitude(coefficients);
  const payloads: Uint8Array[] = [];
  const energies: number[] = [];
  for (let fragment = 0; fragment < fragments; fragment++) {
    const count = rankCount(order.length, fragments, fragment);
    const valuesAt = HEADER_BYTES + (fragment === 0 ? 4 * order.length : 0);
    const payload = new Uint8Array(valuesAt + 4 * count);
    const words = new Uint32Array(payload.buffer);
    if (fragment === 0) {
      words.set([SV02_MAGIC, order.length, fragments]);
      words.set(order, HEADER_BYTES / 4);
    } else words.set([SV02_MAGIC, fragment, count]);
    const values = new Float32Array(payload.buffer, valuesAt);
    for (let i = 0, rank = fragment; i < count; i++, rank += fragments) values[i] = ranked[rank]!;
    payloads.push(payload);
    energies.push(energyOf(values));
  }
  return { payloads, added: energies, alone: energies.map((energy, k) => (k === 0 ? energy : 0)) };
}

function rankCount(coefficients: number, fragments: number, fragment: number): number {
  return Math.max(0, Math.ceil((coefficients - fragment) / fragments));
}

export class RankedStore implements CoefficientStore {
  readonly #coefficients: number;
  readonly #fragments: number;
  readonly #parts = new Map<number, Float32Array>();
  #order: Uint32Array | undefined;
  #arrived = 0;
  #energy = 0;

  constructor(coefficients: number, fragments: number) {
    this.#coefficients = coefficients;
    this.#fragments = fragments;
  }

  get placed(): number {
    return this.#order === undefined ? 0 : this.#arrived;
  }

  get energy(): number {
    return this.#order === undefined ? 0 : this.#energy;
  }

  add(index: number, payload: Uint8Array): void {
    const count = rankCount(this.#coefficients, this.#fragments, index);
    let valuesAt = HEADER_BYTES;
    if (index === 0) {
      this.#checkFields(payload, index, this.#coefficients, this.#fragments);
      valuesAt += 4 * this.#coefficients;
    } else this.#checkFields(payload, index, index, count);
    const { values, energy } = readValues(payload, valuesAt, count, index);
    const sum = energyWith(this.#energy, energy, index);
    if (index === 0) this.#order = this.#readOrder(payload.subarray(HEADER_BYTES, valuesAt));
    this.#parts.set(index, values);
    this.#arrived += count;
    this.#energy = sum;
  }

  coefficients(scratch: Float32Array): Float32Array {
    scratch.fill(0);
    if (this.#order === undefined) return scratch;
    for (const [first, values] of this.#parts) {
      for (let i = 0, rank = first; i < values.length; i++, rank += this.#fragments) {
        scratch[this.#order[rank]!] = values[i]!;
      }
    }
    return scratch;
  }

  #checkFields(payload: Uint8Array, fragmentIndex: number, second: number, third: number): void {
    checkLength(payload, HEADER_BYTES, fragmentIndex);
    const view = new DataView(payload.buffer, payload.byteOffset);
    const expected = [SV02_MAGIC, second, third];
    const actual = [0, 4, 8].map((offset) => view.getUint32(offset, true));
    if (expected.every((value, i) => value === actual[i])) return;
    throw new FormatError('Cannot read the fragment payload: wrong SV02 header', {
      fragmentIndex,
      expected,
      actual,
    });
  }

  /** @throws FormatError when an index is missing or comes twice */
  #readOrder(bytes: Uint8Array): Uint32Array {
    const order = viewElements('U32', bytes) as Uint32Array;
    const seen = new Uint8Array(order.length);
    for (let rank = 0; rank < order.length; rank++) {
      const index = order[rank]!;
      if (seen[index] !== 0) {
        throw new FormatError('Cannot read the fragment payload: invalid importance order', {
          fragmentIndex: 0,
          offset: HEADER_BYTES + 4 * rank,
          expected: `each of 0 to ${order.length - 1} once`,
          actual: index,
        });
      }
      seen[index] = 1;
    }
    return order;
  }
}

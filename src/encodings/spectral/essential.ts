import { FormatError, LimitError } from '../../errors.js';
import { viewElements } from '../../tensor/tensor.js';
import type { CoefficientFragments, CoefficientStore } from '../coefficients/coefficients.js';
import { checkLength, energyWith, MAX_ENERGY } from '../payload.js';
import { rankByMagnitude } from './ranking.js';

/**
 * SV01, the layout 'essential': every fragment holds the coefficients of largest magnitude, so that each one alone is a
 * good approximation, and its share of the others, interleaved by rank. Header: essential count u32, detail count u32;
 * then pairs of index u32 and value f32.
 */
const HEADER_BYTES = 8;
const PAIR_BYTES = 8;

/** Offsets in a file's index are u32, so its fragments end before 4 GiB. */
const MAX_BYTES = 2 ** 32 - 1;

/**
 * @param ratio share of the coefficients that every fragment repeats, in [0, 1]
 * @throws LimitError when the repetitions do not fit a file
 */
export function writeEssential(
  coefficients: Float32Array,
  fragments: number,
  ratio: number,
): CoefficientFragments {
  const { order, values } = rankByMagnitude(coefficients);
  const essentials = Math.floor(ratio * order.length);
  const bytes =
    fragments * (HEADER_BYTES + PAIR_BYTES * essentials) + PAIR_BYTES * (order.length - essentials);
  if (bytes > MAX_BYTES) {
    throw new LimitError(
      'Cannot encode the tensor: its fragments, each with all essential coefficients, are too large',
      {
        expected: `at most ${MAX_BYTES}`,
        actual: bytes,
      },
    );
  }
  let essentialEnergy = 0;
  for (let rank = 0; rank < essentials; rank++) essentialEnergy += values[rank]! ** 2;
  const payloads: Uint8Array[] = [];
  const added: number[] = [];
  const alone: number[] = [];
  for (let fragment = 0; fragment < fragments; fragment++) {
    const details = Math.max(0, Math.ceil((order.length - essentials - fragment) / fragments));
    const payload = new Uint8Array(HEADER_BYTES + PAIR_BYTES * (essentials + details));
    const words = new Uint32Array(payload.buffer);
    const numbers = new Float32Array(payload.buffer);
    words.set([essentials, details]);
    let word = HEADER_BYTES / 4;
    let detailEnergy = 0;
    const put = (rank: number): number => {
      words[word++] = order[rank]!;
      numbers[word++] = values[rank]!;
      return values[rank]! ** 2;
    };
    for (let rank = 0; rank < essentials; rank++) put(rank);
    for (let rank = essentials + fragment; rank < order.length; rank += fragments) detailEnergy += put(rank);
    payloads.push(payload);
    alone.push(essentialEnergy + detailEnergy);
    added.push(fragment === 0 ? essentialEnergy + detailEnergy : detailEnergy);
  }
  return { payloads, added, alone };
}

export class EssentialStore implements CoefficientStore {
  placed = 0;
  energy = 0;
  readonly #coefficients: Float32Array;
  readonly #known: Uint8Array;

  constructor(coefficients: number) {
    this.#coefficients = new Float32Array(coefficients);
    this.#known = new Uint8Array(coefficients);
  }

  add(index: number, payload: Uint8Array): void {
    checkLength(payload, HEADER_BYTES, index);
    const view = new DataView(payload.buffer, payload.byteOffset);
    const pairs = view.getUint32(0, true) + view.getUint32(4, true);
    const length = HEADER_BYTES + PAIR_BYTES * pairs;
    if (payload.length !== length) {
      throw new FormatError('Cannot read the fragment payload: its size does not match its counts', {
        fragmentIndex: index,
        expected: length,
        actual: payload.length,
      });
    }
    const body = payload.subarray(HEADER_BYTES);
    const words = viewElements('U32', body) as Uint32Array;
    const numbers = viewElements('F32', body) as Float32Array;
    this.#check(words, numbers, index);
    for (let at = 0; at < words.length; at += 2) this.#place(words[at]!, numbers[at + 1]!);
  }

  coefficients(): Float32Array {
    return this.#coefficients;
  }

  /** The first value for an index wins, because every fragment repeats the essentials. */
  #place(index: number, value: number): void {
    if (this.#known[index] === 1) return;
    this.#known[index] = 1;
    this.#coefficients[index] = value;
    this.placed += 1;
    this.energy += value * value;
  }

  #check(words: Uint32Array, numbers: Float32Array, fragmentIndex: number): void {
    const coefficients = this.#coefficients.length;
    let all = 0;
    for (let at = 0; at < words.length; at += 2) {
      all += numbers[at + 1]! ** 2;
      if (words[at]! < coefficients && Number.isFinite(numbers[at + 1])) continue;
      throw new FormatError('Cannot read the fragment payload: invalid coefficient', {
        fragmentIndex,
        offset: HEADER_BYTES + 4 * at,
        expected: `an index below ${coefficients} and a finite value`,
        actual: `${words[at]} and ${numbers[at + 1]}`,
      });
    }
    // Which ones repeat others takes as long to find as placing them, and hardly ever matters.
    if (this.energy + all < MAX_ENERGY) return;
    let added = 0;
    for (let at = 0; at < words.length; at += 2) {
      if (this.#known[words[at]!] !== 1) added += numbers[at + 1]! ** 2;
    }
    energyWith(this.energy, added, fragmentIndex);
  }
}

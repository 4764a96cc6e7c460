import { batchMask, byteMask, CLASSES, GROUP_BYTES, NO_CLASS } from './bitmapCode.js';
import { anyCode, CODES_PER_KIND, nonzeroCode, POPULATION, type PrefixCode } from './codeTables.js';

/** Symbols of one sort, counted by how many of their bits are set: all that the codes' lengths depend on. */
type Histogram = Float64Array;
const POPULATIONS = 9;

/** Counts over the tiles of a tensor what a bitmap's codes would have to code, and chooses the cheapest. */
export class CodeChooser {
  readonly #batches: Histogram = new Float64Array(POPULATIONS);
  readonly #masks: readonly Histogram[] = histograms();
  readonly #bytes: readonly Histogram[] = histograms();
  /** One more than the largest class seen. */
  #classes = 0;

  add(bitmap: Uint8Array, classes: Uint8Array): void {
    let batchLeft = 0;
    for (let group = 0; group < classes.length; group++) {
      const kind = classes[group]!;
      if (kind === NO_CLASS) continue;
      if (kind >= this.#classes) this.#classes = kind + 1;
      const mask = byteMask(bitmap, group);
      if (kind === 0) {
        if (batchLeft === 0) {
          this.#batches[POPULATION[batchMask(bitmap, classes, group)]!]! += 1;
          batchLeft = 8;
        }
        batchLeft -= 1;
        if (mask === 0) continue;
      }
      this.#masks[kind]![POPULATION[mask]!]! += 1;
      const bytes = this.#bytes[kind]!;
      for (let i = 0; i < GROUP_BYTES; i++) bytes[POPULATION[bitmap[group * GROUP_BYTES + i]!]!]! += 1;
    }
  }

  /** The cheapest selection, as the stream holds it, and the bits it takes; empty when no group was coded. */
  choose(): { selection: Uint8Array; cost: number } {
    if (this.#classes === 0) return { selection: new Uint8Array(0), cost: 0 };
    let cost = 0;
    const selection = new Uint8Array(this.#classes + 1);
    for (let kind = 0; kind < this.#classes; kind++) {
      const mask = cheapest(kind === 0 ? nonzeroCode : anyCode, this.#masks[kind]!);
      // A byte of 0 is not coded: its mask says so.
      const byte = cheapest(nonzeroCode, this.#bytes[kind]!.with(0, 0));
      const rawCost = 8 * sum(this.#bytes[kind]!);
      const raw = mask.cost + byte.cost >= rawCost;
      cost += raw ? rawCost : mask.cost + byte.cost;
      if (kind === 0) {
        const batch = cheapest(anyCode, this.#batches);
        cost += batch.cost;
        selection[0] = batch.index | (mask.index << 4);
        selection[1] = raw ? 0xff : byte.index;
      } else selection[kind + 1] = raw ? 0xff : mask.index | (byte.index << 4);
    }
    return { selection, cost };
  }
}

function histograms(): Histogram[] {
  return Array.from({ length: CLASSES }, () => new Float64Array(POPULATIONS));
}

function sum(histogram: Histogram): number {
  return histogram.reduce((total, count) => total + count, 0);
}

function cheapest(
  codes: (index: number) => PrefixCode,
  histogram: Histogram,
): { index: number; cost: number } {
  let best = { index: 0, cost: Number.POSITIVE_INFINITY };
  for (let index = 0; index < CODES_PER_KIND; index++) {
    const { meanLengths } = codes(index);
    const cost = histogram.reduce((bits, count, k) => bits + count * meanLengths[k]!, 0);
    if (cost < best.cost) best = { index, cost };
  }
  return best;
}

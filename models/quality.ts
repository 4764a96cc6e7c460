import { weightOf } from './planning.js';
import type { TensorState } from './tensorState.js';

/** Keeps the quality of the whole up to date as single tensors get better. */
export class ModelQuality {
  readonly qualities = new Map<string, number>();
  readonly #total: number;
  #sum = 0;
  #ready = 0;

  constructor(states: Iterable<TensorState>) {
    let total = 0;
    for (const { tensor } of states) {
      this.qualities.set(tensor.name, 0);
      total += weightOf(tensor);
    }
    this.#total = total;
  }

  update({ tensor, cosine }: TensorState): void {
    const before = this.qualities.get(tensor.name) ?? 0;
    if (before === 0 && cosine > 0) this.#ready += 1;
    this.qualities.set(tensor.name, cosine);
    this.#sum += weightOf(tensor) * (cosine - before);
  }

  /** Tensors of which there is something. */
  get ready(): number {
    return this.#ready;
  }

  /** Mean cosine of the tensors, each counted by its elements; 1 for a model without any. */
  get whole(): number {
    return this.#total === 0 ? 1 : Math.min(1, Math.max(0, this.#sum / this.#total));
  }
}

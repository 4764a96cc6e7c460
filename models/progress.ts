import type { LoadableTensor } from './inputs/content.js';
import { BELOW_ONE, loadedBytes, type OutputType } from './output.js';
import type { TensorState } from './tensorState.js';

/** The state of a model while it loads. */
export interface ModelProgress {
  /** Bytes that this load and those before it have fetched, and how many they will have at its end. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Tensors with any numbers loaded, and how many the model has. */
  readonly ready: number;
  readonly tensors: number;
  /** True cosine similarity with the original: of the whole (see `Model.quality`), and of each tensor. */
  readonly quality: number;
  readonly qualities: ReadonlyMap<string, number>;
  /** Bytes per second, of this load so far; undefined before the first byte. */
  readonly bytesPerSecond: number | undefined;
  /** Estimated from the throughput so far; undefined before the first byte. */
  readonly remainingMs: number | undefined;
}

/** Keeps the quality of the whole up to date as single tensors improve. */
export class ModelQuality {
  readonly qualities = new Map<string, number>();
  readonly #total: number;
  #sum = 0;
  /** Tensors whose cosine is below 1. With none, the quality is 1, whatever the sum has lost by rounding. */
  #imperfect: number;
  /** Tensors with any numbers loaded. */
  readonly #ready = new Set<LoadableTensor>();
  /** Their bytes, as arrays of each type that has been asked for. */
  readonly #held = new Map<OutputType, number>();

  constructor(states: Iterable<Pick<TensorState, 'tensor'>>) {
    let total = 0;
    for (const { tensor } of states) {
      this.qualities.set(tensor.name, 0);
      total += tensor.weight;
    }
    this.#total = total;
    this.#imperfect = this.qualities.size;
  }

  update({ tensor, cosine }: Pick<TensorState, 'tensor' | 'cosine'>): void {
    const before = this.qualities.get(tensor.name) ?? 0;
    if (before > 0 !== cosine > 0) {
      if (cosine > 0) this.#ready.add(tensor);
      else this.#ready.delete(tensor);
      const sign = cosine > 0 ? 1 : -1;
      for (const [as, bytes] of this.#held) this.#held.set(as, bytes + sign * loadedBytes(tensor, as));
    }
    this.qualities.set(tensor.name, cosine);
    this.#imperfect += Number(before >= 1) - Number(cosine >= 1);
    this.#sum += tensor.weight * (cosine - before);
  }

  /** Tensors with any numbers loaded. */
  get ready(): number {
    return this.#ready.size;
  }

  /** Bytes of these tensors and of their arrays. Counted once, then kept up to date: there may be a load for each tensor. */
  heldBytes(as: OutputType = 'F32'): number {
    let bytes = this.#held.get(as);
    if (bytes === undefined) {
      bytes = 0;
      for (const tensor of this.#ready) bytes += loadedBytes(tensor, as);
      this.#held.set(as, bytes);
    }
    return bytes;
  }

  /** Mean cosine of the tensors, by their weights; 1 for a model without any. */
  get whole(): number {
    if (this.#total === 0 || this.#imperfect === 0) return 1;
    return Math.min(BELOW_ONE, Math.max(0, this.#sum / this.#total));
  }
}

/** Measures the throughput, and estimates the time of further bytes. */
export class Throughput {
  readonly #start = performance.now();
  #bytes = 0;

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  get elapsed(): number {
    return performance.now() - this.#start;
  }

  /** Bytes per second; undefined before the first ones have arrived. */
  get bytesPerSecond(): number | undefined {
    return this.#bytes === 0 ? undefined : (1000 * this.#bytes) / Math.max(1, this.elapsed);
  }

  /** Estimated milliseconds for this many bytes; undefined before the first ones have arrived. */
  timeFor(bytes: number): number | undefined {
    return this.#bytes === 0 ? undefined : (bytes * this.elapsed) / this.#bytes;
  }
}

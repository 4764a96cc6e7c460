import type { NumberTensor } from './streamed/streamed.js';

/** Most bytes of states that are kept, to look back at. */
const MOST_BYTES = 2 ** 27;

type State = ReadonlyMap<string, NumberTensor>;

/** The states of a model, one per step; of a large model, the latest ones. */
export class History {
  readonly #steps: (State | undefined)[] = [];
  #bytes = 0;
  #oldest = 0;

  add(state: State): void {
    this.#steps.push(state);
    this.#bytes += bytesOf(state);
    while (this.#bytes > MOST_BYTES && this.#oldest < this.#steps.length - 1) {
      this.#bytes -= bytesOf(this.#steps[this.#oldest]!);
      this.#steps[this.#oldest] = undefined;
      this.#oldest += 1;
    }
  }

  /** A tensor of floating-point numbers after a step, or after the latest; undefined where that is not known. */
  tensor(
    name: string,
    step = this.#steps.length - 1,
  ): { readonly shape: readonly number[]; readonly data: Float32Array } | undefined {
    const { shape, data } = this.#steps[step]?.get(name) ?? {};
    return shape !== undefined && data instanceof Float32Array ? { shape, data } : undefined;
  }
}

function bytesOf(state: State): number {
  let bytes = 0;
  for (const { data } of state.values()) bytes += data.byteLength;
  return bytes;
}

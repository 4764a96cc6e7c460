/** Kingma and Ba, 2015, with their usual constants, and values drawn to 0. */
export class Adam {
  readonly #values: Float32Array;
  readonly #gradient: Float32Array;
  readonly #shrink: number;
  readonly #mean: Float32Array;
  readonly #square: Float32Array;

  /** @param shrink part of the step size by which each step moves values towards 0, and not past it */
  constructor(values: Float32Array, gradient: Float32Array, shrink: number) {
    this.#values = values;
    this.#gradient = gradient;
    this.#shrink = shrink;
    this.#mean = new Float32Array(values.length);
    this.#square = new Float32Array(values.length);
  }

  /** Moves the values against the gradient, which it clears. */
  step(step: number, rate: number): void {
    const [values, gradient, mean, square] = [this.#values, this.#gradient, this.#mean, this.#square];
    const meanScale = 1 / (1 - 0.9 ** step);
    const squareScale = 1 / (1 - 0.999 ** step);
    const shrink = rate * this.#shrink;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      mean[i] = 0.9 * mean[i]! + 0.1 * g;
      square[i] = 0.999 * square[i]! + 0.001 * g * g;
      const moved = values[i]! - (rate * mean[i]! * meanScale) / (Math.sqrt(square[i]! * squareScale) + 1e-8);
      values[i] = Math.abs(moved) > shrink ? moved - Math.sign(moved) * shrink : 0;
      gradient[i] = 0;
    }
  }
}

/** Measures how fast bytes come, and says how long more of them will take. */
export class Throughput {
  readonly #start = performance.now();
  #bytes = 0;

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  get elapsed(): number {
    return performance.now() - this.#start;
  }

  /** Milliseconds that so many bytes will take; undefined before any have come. */
  timeFor(bytes: number): number | undefined {
    return this.#bytes === 0 ? undefined : (bytes * this.elapsed) / this.#bytes;
  }
}

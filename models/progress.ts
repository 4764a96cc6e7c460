/** How far a model is. */
export interface ModelProgress {
  /** Bytes that this load has fetched, and how many it will, as planned. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Tensors of which there is something to compute with, and how many the model has. */
  readonly ready: number;
  readonly tensors: number;
  /** True cosine similarity with the original: of the whole (the mean over its elements), and of each tensor by name. */
  readonly quality: number;
  readonly qualities: ReadonlyMap<string, number>;
  /** Estimated from the throughput so far; undefined before the first byte. */
  readonly remainingMs: number | undefined;
}

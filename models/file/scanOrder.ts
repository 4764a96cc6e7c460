/** A tensor, as far as the order of its fragments is concerned. */
export interface ScanTensor {
  /** Weight of the tensor in the quality of the model. */
  readonly weight: number;
  /** Stored size of each fragment, in bytes. */
  readonly sizes: readonly number[];
  /** Cosine similarity after fragments 0..k, for each k. */
  readonly cosines: readonly number[];
}

export interface ScanPosition {
  readonly tensor: number;
  readonly fragment: number;
}

/**
 * The order of the fragments of many tensors by quality gain per byte, where the quality of a model is the mean of its
 * tensors' cosines by their weights. Within a tensor the order is kept: if a fragment gains more per byte
 * than the one before it, the two count as one (the upper concave hull of the tensor's curve of quality over bytes,
 * along which the greedy choice is optimal).
 */
export function scanOrder(tensors: readonly ScanTensor[]): ScanPosition[] {
  const order = tensors.flatMap((tensor, number) =>
    gainsPerByte(tensor).map((gain, fragment) => ({ tensor: number, fragment, gain })),
  );
  // Sorting is stable: equal gains, such as those of one run, stay in order.
  order.sort((a, b) => b.gain - a.gain);
  return order.map(({ tensor, fragment }) => ({ tensor, fragment }));
}

/** Gain per byte of each fragment. Runs are joined until it never rises. */
function gainsPerByte({ weight, sizes, cosines }: ScanTensor): number[] {
  const runs: { gain: number; bytes: number; length: number }[] = [];
  sizes.forEach((bytes, fragment) => {
    const before = fragment === 0 ? 0 : cosines[fragment - 1]!;
    let run = { gain: weight * Math.max(0, cosines[fragment]! - before), bytes, length: 1 };
    for (let last = runs.at(-1); last !== undefined && rate(last) < rate(run); last = runs.at(-1)) {
      runs.pop();
      run = { gain: last.gain + run.gain, bytes: last.bytes + run.bytes, length: last.length + run.length };
    }
    runs.push(run);
  });
  return runs.flatMap((run) => Array<number>(run.length).fill(rate(run)));
}

function rate({ gain, bytes }: { gain: number; bytes: number }): number {
  return gain / Math.max(1, bytes);
}

/** Bytes of this process after garbage collection, as `process.memoryUsage` counts them. */
export interface MemorySample {
  /** Used, without compiled code: the engine optimizes for a long time. */
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
}

export type MemoryKind = keyof MemorySample;

/** Fewer samples tell no growth from chance. */
export const MIN_SAMPLES = 8;

/**
 * By how many bytes something has grown over the samples: the median of the slopes between all pairs of them (Theil and
 * Sen), times their number. Up to three in ten samples may be off by anything; a leak, however small, adds to every one.
 * The first half does not count: meanwhile code is compiled, pools and caches fill, and the allocator gets its pages.
 *
 * @returns undefined while there are too few samples
 */
export function growth(samples: readonly number[]): number | undefined {
  const settled = samples.slice(Math.floor(samples.length / 2));
  if (settled.length < MIN_SAMPLES) return undefined;
  const slopes: number[] = [];
  for (const [i, a] of settled.entries()) {
    for (let j = i + 1; j < settled.length; j++) slopes.push((settled[j]! - a) / (j - i));
  }
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)]! * (settled.length - 1);
}

/** What `bench` compares. */
export const BENCH_CHOICES = [
  'embedded',
  'spectral',
  'random-projection',
  'low-rank',
  'zstd',
  'lz4',
] as const;
export type BenchChoice = (typeof BENCH_CHOICES)[number];

export interface BenchOptions {
  readonly encoding?: readonly BenchChoice[];
  readonly json?: true;
}

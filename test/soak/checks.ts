import type { ServerState } from './serverProcess.js';
import type { MemoryKind, MemorySample } from './trend.js';

/**
 * What memory may grow by, in bytes, over the rounds that count. What the engine learns about code adds 0.3 MB to the heap from
 * round 16 to 31, and less later. Pools keep up to 10 MB of buffers for their next tasks; pages that the allocator keeps vary by tens of megabytes.
 */
export const MAX_GROWTH: Readonly<Record<MemoryKind, number>> = {
  heap: 2 ** 20,
  external: 2 ** 20,
  arrayBuffers: 2 ** 24,
  rss: 2 ** 26,
};

/** What must hold, each by a word for the report. */
export const CHECKS = {
  result: 'every result is exact, or as good as it says, or an expected error',
  end: 'every job ends',
  rejection: 'no rejection is left unhandled, and nothing warns',
  handles: 'no handles, timers and requests are left',
  connections: 'no connections are left at the server',
  files: 'no files and sockets are left open',
  threads: 'no threads are left',
  leftovers: 'no temporary files are left',
  heap: 'the heap does not grow',
  external: 'memory outside the heap does not grow',
  arrayBuffers: 'array buffers do not grow',
  rss: 'resident memory does not grow',
} as const;

export type Check = keyof typeof CHECKS;

export interface Finding {
  readonly check: Check;
  /** The round, and of one job also its number in it: "12.31". Undefined for what only all rounds together show. */
  readonly step: string | undefined;
  readonly what: string;
}

export interface Report {
  readonly rounds: number;
  /** How jobs ended, by outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly server: Pick<ServerState, 'requests' | 'faults' | 'sentBytes'>;
  /** Memory after the first round that counts for the trend, and now. */
  readonly memory: readonly [first: MemorySample, last: MemorySample] | undefined;
}

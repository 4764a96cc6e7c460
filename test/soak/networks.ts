import {
  FormatError,
  type HolostreamError,
  LimitError,
  SourceChangedError,
  SourceError,
  UnsupportedError,
} from '../../src/errors.js';
import type { Fault } from '../helpers/faultyServer.js';
import type { Random } from '../helpers/random.js';

/** How the network and the server behave towards one job. */
export interface Network {
  /** What goes wrong with the n-th response that the job gets, of a file with this many bytes. */
  fault?(n: number, random: Random, size: number, name: string): Fault | undefined;
  /** The file changes every so many responses. */
  readonly changesEvery?: number;
  /** It sends other bytes than the file's: only checksums notice. */
  readonly damages?: true;
  /** Milliseconds of silence that the job bears. Default: those of the library. */
  readonly idleTimeout?: number;
  /** What may come of it, beside the exact result. */
  readonly errors: readonly (abstract new (
    ...args: never[]
  ) => HolostreamError)[];
}

/** Every second response is broken: what is tried again succeeds, unless it meets the broken ones of others. */
const isBroken = (n: number) => n % 2 === 0;

export const NETWORKS = {
  steady: { errors: [] },
  slow: { fault: (_, random) => ({ pause: random.below(4) }), errors: [] },
  drops: {
    fault: (n, random, size) => (isBroken(n) ? { dropAfter: random.below(size) } : undefined),
    errors: [SourceError],
  },
  endsEarly: {
    fault: (n, random, size) => (isBroken(n) ? { chunked: true, endAfter: random.below(size) } : undefined),
    errors: [SourceError],
  },
  stalls: {
    fault: (n, random, size) => (isBroken(n) ? { stallAfter: random.below(size) } : undefined),
    idleTimeout: 100,
    errors: [SourceError],
  },
  silent: {
    fault: (n) => (isBroken(n) ? { silent: true } : undefined),
    idleTimeout: 100,
    errors: [SourceError],
  },
  busy: {
    fault: (n, random) =>
      isBroken(n) ? { status: random.pick([429, 503]), headers: { 'retry-after': '0' } } : undefined,
    errors: [SourceError],
  },
  redirects: { fault: (_, __, ___, name) => ({ redirect: `/steady-0/${encodeURI(name)}` }), errors: [] },
  fails: { fault: (_, random) => ({ status: random.pick([403, 404, 500]) }), errors: [SourceError] },
  withoutRanges: { fault: () => ({ ignoreRange: true }), errors: [] },
  chunked: { fault: () => ({ chunked: true }), errors: [] },
  shortRanges: { fault: (_, random, size) => ({ cap: 1000 + random.below(size) }), errors: [] },
  wideRanges: { fault: () => ({ align: 4096 }), errors: [] },
  flips: {
    // Names and shapes in manifests are under no checksum.
    fault: (_, random, size, name) => (name.endsWith('.json') ? undefined : { flip: random.below(size) }),
    damages: true,
    errors: [FormatError, UnsupportedError, LimitError, SourceError],
  },
  garbage: {
    fault: (n) => (n > 0 ? { garbage: true } : undefined),
    damages: true,
    errors: [FormatError, UnsupportedError, LimitError, SourceError],
  },
  changes: { changesEvery: 3, errors: [SourceChangedError] },
} as const satisfies Record<string, Network>;

export type NetworkName = keyof typeof NETWORKS;

export function networkOf(name: NetworkName): Network {
  return NETWORKS[name];
}

export const NETWORK_NAMES = Object.keys(NETWORKS) as NetworkName[];

import { ArgumentError } from '../../errors.js';
import { SEED_STEP } from '../../kernels/gaussian/rng.js';

/** The seed whose generator yields zeros for ever. */
const DEAD_SEED = 2n ** 64n - 1n;

/** The seed of the `index`-th generator that belongs to a header seed. */
export function seedOf(headerSeed: bigint, index: number): bigint {
  return BigInt.asUintN(64, headerSeed + BigInt(index) * SEED_STEP);
}

/** @throws ArgumentError when one of the first `count` generators would yield zeros for ever */
export function assertLiveSeeds(headerSeed: bigint, count: number): void {
  for (let index = 0; index < count; index++) {
    if (seedOf(headerSeed, index) !== DEAD_SEED) continue;
    throw new ArgumentError('random numbers of this seed are all zero; another one is needed', {
      actual: headerSeed,
    });
  }
}

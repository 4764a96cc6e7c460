/** Set by `scripts/runTests.ts --thorough`, as `npm run test:slow` has it. */
const isThorough = process.env.HOLOSTREAM_TEST_THOROUGH !== undefined;

/** How often a property is tried: in `npm test` a quarter of this. */
export function runsOf(all: number): number {
  return isThorough ? all : Math.ceil(all / 4);
}

/** Cases of which each takes half a second, because of threads that die: in `npm test` the first. */
export function casesOf<Case>(all: readonly Case[]): readonly Case[] {
  return isThorough ? all : all.slice(0, 1);
}

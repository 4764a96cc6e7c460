/** `npm run faults` tries every fault; with FAULTS_SHARE=0.1 in the environment, every tenth, from a random one on. */

const share = Number(process.env.FAULTS_SHARE ?? 1);
const step = Math.max(1, Math.round(1 / share));

/** The faults that this run tries. */
export function chosen<T>(faults: readonly T[]): readonly T[] {
  const first = Math.floor(Math.random() * Math.min(step, faults.length));
  return faults.filter((_, i) => i % step === first);
}

/** How many of `count` random faults this run tries. */
export function chosenCount(count: number): number {
  return Math.ceil(count / step);
}

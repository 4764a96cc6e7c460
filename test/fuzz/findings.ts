import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

/** Inputs that break something, as files whose names say how to read them: TARGET.SEED.HASH. */

/** Stands for the seed in the name of an input that is no damaged copy of one. */
const NO_SEED = 'any';

export interface Finding {
  readonly target: string;
  /** The seed that the input is a damaged copy of. */
  readonly seed: string | undefined;
  readonly input: Uint8Array;
}

/**
 * Writes the input to a file.
 * @returns the command that reads it again
 */
export function saveFinding({ target, seed = NO_SEED, input }: Finding, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha1').update(input).digest('hex').slice(0, 12);
  const path = join(folder, `${target}.${seed}.${hash}`);
  writeFileSync(path, input);
  return `npm run fuzz -- --replay ${relative(process.cwd(), path)}`;
}

export function readFinding(path: string): Finding {
  const [target = '', seed] = basename(path).split('.');
  return {
    target,
    seed: seed === NO_SEED ? undefined : seed,
    input: new Uint8Array(readFileSync(path)),
  };
}

import type { Target } from '../target.js';
import { bombTargets } from './bombs.js';
import { cacheTargets } from './cache.js';
import { codecTargets } from './codecs.js';
import { directoryTargets } from './directory.js';
import { embeddedTargets } from './embedded.js';
import { foreignTargets } from './foreign.js';
import { hctTargets } from './hct.js';
import { holotensorTargets } from './holotensor.js';
import { httpTargets } from './http.js';
import { modelFileTargets } from './modelFile.js';
import { quantizationTargets } from './quantization.js';
import { safetensorsTargets } from './safetensors.js';
import { shardIndexTargets } from './shardIndex.js';
import { stagingTargets } from './staging.js';
import { workerTargets } from './workers.js';

/** The families of targets; a new one is a file and a line here. */
const FAMILIES: readonly (() => Promise<Target[]>)[] = [
  codecTargets,
  hctTargets,
  holotensorTargets,
  embeddedTargets,
  safetensorsTargets,
  modelFileTargets,
  directoryTargets,
  shardIndexTargets,
  foreignTargets,
  stagingTargets,
  quantizationTargets,
  workerTargets,
  httpTargets,
  cacheTargets,
  bombTargets,
];

/**
 * All targets, or the one of this name.
 * @throws Error when there is none
 */
export async function targetsNamed(name: string | undefined): Promise<Target[]> {
  const all = (await Promise.all(FAMILIES.map((family) => family()))).flat();
  if (name === undefined) return all;
  const found = all.filter((target) => target.name === name);
  if (found.length > 0) return found;
  throw new Error(`Cannot fuzz ${name}: the targets are ${all.map((target) => target.name).join(', ')}`);
}

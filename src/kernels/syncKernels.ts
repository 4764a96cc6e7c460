import type { Kernels } from './kernels.js';
import { kernelLoader } from './loadKernels.js';
import { portableKernels } from './portableKernels.js';

/**
 * For synchronous callers: the kernels of all subjects if `loadKernels()` has loaded them, otherwise the portable ones,
 * which this module imports.
 */
export function syncKernels(loader = kernelLoader): Kernels {
  return loader.loaded() ?? portableKernels;
}

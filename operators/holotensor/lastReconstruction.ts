import { last, type MonoTypeOperatorFunction } from 'rxjs';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';

/**
 * Waits for the source to complete and hands on its last reconstruction only. An error when there was none.
 *
 * @example
 * const best = await lastValueFrom(bytes$.pipe(fragments(), reconstruct({ emit: 'end' }), lastReconstruction()));
 */
export function lastReconstruction(): MonoTypeOperatorFunction<Reconstruction> {
  return last();
}

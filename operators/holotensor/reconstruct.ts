import type { SchedulerLike } from 'rxjs';
import {
  asyncScheduler,
  concatMap,
  defer,
  from,
  map,
  type OperatorFunction,
  of,
  shareReplay,
  tap,
} from 'rxjs';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { type ReconstructOptions, Reconstructor } from '../../src/holotensor/reconstructor.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { pace } from './pace.js';

export type ReconstructOperatorOptions = ReconstructOptions & {
  /** The clock, and where reconstructions that must wait are run. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
};

/**
 * The fragments of one tensor in; the tensor out, better each time. `emit` says when; the last state always comes.
 * Where fragments arrive faster than reconstructions are computed, the ones between are skipped, never queued.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one.
 *
 * @example
 * fromByteStream(response.body)
 *   .pipe(fragments(), reconstruct({ emit: { everyMs: 100 } }))
 *   .subscribe(({ data, quality }) => draw(data, quality.cosine));
 */
export function reconstruct(
  options: ReconstructOperatorOptions = {},
): OperatorFunction<ReceivedFragment, Reconstruction> {
  const { scheduler = asyncScheduler, kernels } = options;
  return (source) =>
    defer(() => {
      const ready = (kernels === undefined ? from(loadKernels()) : of(kernels)).pipe(
        map((loaded) => new Reconstructor({ ...options, kernels: loaded })),
        shareReplay(1),
      );
      return source.pipe(
        concatMap((fragment) => ready.pipe(tap((reconstructor) => reconstructor.add(fragment)))),
        pace(scheduler),
      );
    });
}

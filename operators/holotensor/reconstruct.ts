import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { type ReconstructOptions, Reconstructor } from '../../src/holotensor/reconstructor.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { Stage } from '../../src/stage.js';
import { stageOperator } from '../stageOperator.js';
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
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response.body!)
 *   .pipe(decodeFragments(), reconstruct({ emit: { everyMs: 100 } }))
 *   .subscribe(({ data, quality }) => console.log(data.length, quality.cosine));
 */
export function reconstruct(
  options: ReconstructOperatorOptions = {},
): OperatorFunction<ReceivedFragment, Reconstruction> {
  const { scheduler = asyncScheduler, kernels } = options;
  const stageOf = (loaded: Kernels) => new Collector(new Reconstructor({ ...options, kernels: loaded }));
  const collect = stageOperator(() =>
    kernels === undefined ? loadKernels().then(stageOf) : stageOf(kernels),
  );
  return (source) => source.pipe(collect, pace(scheduler));
}

/** Tells with each fragment where it went. */
class Collector implements Stage<ReceivedFragment, Reconstructor> {
  readonly #reconstructor: Reconstructor;

  constructor(reconstructor: Reconstructor) {
    this.#reconstructor = reconstructor;
  }

  push(fragment: ReceivedFragment): Reconstructor[] {
    this.#reconstructor.add(fragment);
    return [this.#reconstructor];
  }

  flush(): Reconstructor[] {
    return [];
  }
}

import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { type ReconstructOptions, Reconstructor } from '../../src/holotensor/reconstructor.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { LatestStageFactory } from '../../src/stage.js';
import { MIN_WORKER_BYTES, poolOf, type WorkersOption } from '../../workers/pool.js';
import type { Scheduler } from '../latestRun.js';
import { WorkerReconstructor } from './workerReconstructor.js';

export type ReconstructionStreamOptions = ReconstructOptions &
  WorkersOption & {
    /** The clock of `emit`, and where reconstructions that must wait are run: any scheduler of RxJS. Default: timers. */
    readonly scheduler?: Scheduler | undefined;
  };

/** The fragments of one tensor in; the tensor out, better each time. Large ones are decoded in a worker, if there is one. */
export function reconstructStage({
  workers,
  scheduler: _,
  ...options
}: ReconstructionStreamOptions): LatestStageFactory<ReceivedFragment, Reconstruction> {
  return ({ header }) => {
    const { kernels } = options;
    if (kernels !== undefined) return new Reconstructor(options);
    const pool = poolOf(workers);
    if (pool !== undefined && header.originalSize >= MIN_WORKER_BYTES.reconstruction)
      return new WorkerReconstructor(pool, header, options);
    return loadKernels().then((loaded) => new Reconstructor({ ...options, kernels: loaded }));
  };
}

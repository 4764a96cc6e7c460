import { after } from '../src/async/after.js';
import { checkOptions, having, type Rules } from '../src/checks/options.js';
import { loadDecodingOf, loadedDecoding } from '../src/encodings/decodings.js';
import type { ReceivedFragment } from '../src/holotensor/fragment.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import {
  RECONSTRUCT_RULES,
  type ReconstructOptions,
  Reconstructor,
} from '../src/holotensor/reconstructor.js';
import type { LatestStageFactory } from '../src/stage.js';
import type { WorkersOption } from '../workers/pool.js';
import { MIN_WORKER_BYTES, WORKERS } from '../workers/task.js';
import type { Scheduler } from './latestRun.js';

/** When reconstructions of a HoloTensor stream are emitted, and where they are computed. */
export type ReconstructionStreamOptions = ReconstructOptions &
  WorkersOption & {
    /**
     * The clock of `emit`, and where reconstructions that must wait are run: any scheduler of RxJS. Default: timers.
     */
    readonly scheduler?: Scheduler | undefined;
  };

const RULES: Rules<ReconstructionStreamOptions> = {
  ...RECONSTRUCT_RULES,
  workers: WORKERS,
  scheduler: /* @__PURE__ */ having<Scheduler>('schedule', 'a scheduler, such as asyncScheduler of RxJS'),
};

/**
 * The fragments of one tensor in; the tensor out, better each time. A worker decodes large ones, if workers are wanted.
 */
export function reconstructStage(
  all: ReconstructionStreamOptions,
): LatestStageFactory<ReceivedFragment, Reconstruction> {
  const { workers, scheduler: _, ...options } = checkOptions(all, RULES);
  return ({ header }) => {
    if (workers && options.kernels === undefined && header.originalSize >= MIN_WORKER_BYTES.reconstruction) {
      // Loaded on demand: most pages decode without workers.
      return import('./workerReconstructor.js').then(
        ({ WorkerReconstructor }) => new WorkerReconstructor(workers, header, options),
      );
    }
    // With kernels of the caller's own, there may be nothing left to load.
    const loaded = options.kernels !== undefined && loadedDecoding(header.encoding) !== undefined;
    if (loaded) return new Reconstructor(options);
    return after(loadDecodingOf(header), () => new Reconstructor(options));
  };
}

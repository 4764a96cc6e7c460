import type { OperatorFunction } from 'rxjs';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { latestOperator } from '../stageOperator.js';
import { type ReconstructionStreamOptions, reconstructStage } from './reconstructStage.js';

/**
 * The fragments of one tensor in; the tensor out, better each time. `emit` says when; the last state always comes.
 * Where fragments arrive faster than reconstructions are computed, the ones between are skipped, never queued.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one. With
 * `workers`, one of them decodes, and this thread only moves the bytes.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response.body!)
 *   .pipe(decodeFragments(), reconstruct({ emit: { everyMs: 100 } }))
 *   .subscribe(({ data, quality }) => console.log(data.length, quality.cosine));
 */
export function reconstruct(
  options: ReconstructionStreamOptions = {},
): OperatorFunction<ReceivedFragment, Reconstruction> {
  return latestOperator(reconstructStage(options), options.scheduler);
}

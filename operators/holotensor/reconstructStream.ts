import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { LatestStream } from '../stageStream.js';
import { type ReconstructionStreamOptions, reconstructStage } from './reconstructStage.js';

/**
 * The fragments of one tensor in; the tensor out, better each time, when the reader asks and `emit` says that one is
 * due. Fragments are taken as they arrive; those that arrive while the reader is busy all go into its next
 * reconstruction. The last state always comes.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one. With
 * `workers`, one of them decodes, and this thread only moves the bytes.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * const tensors = response.body!.pipeThrough(new FragmentDecoderStream()).pipeThrough(new ReconstructionStream());
 * for await (const { data, quality } of tensors) console.log(data.length, quality.cosine);
 */
export class ReconstructionStream extends LatestStream<ReceivedFragment, Reconstruction> {
  constructor(options: ReconstructionStreamOptions = {}) {
    super(reconstructStage(options), options.scheduler);
  }
}

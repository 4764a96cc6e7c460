/**
 * HoloTensor's stages, each as a stream and as an RxJS operator. Only `stageOperator` imports RxJS, so a bundle that
 * uses no operator drops it.
 */

import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';
import type { BytesLike } from '../src/bytes/binary.js';
import { check } from '../src/checks/options.js';
import type { ReceivedFragment } from '../src/holotensor/fragment.js';
import { fragmentReceiverStage } from '../src/holotensor/fragmentReceiver.js';
import { QUALITY, reachesQuality } from '../src/holotensor/quality.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import type { UnpackOptions } from '../src/holotensor/unpack.js';
import { NOTHING, type Stage, type StageFactory } from '../src/stage.js';
import { type ReconstructionStreamOptions, reconstructStage } from './reconstructStage.js';
import { latestOperator, stageOperator } from './stageOperator.js';
import { LatestStream, StageStream } from './stageStream.js';

/**
 * The bytes of a HoloTensor file in; its fragments out, verified and decompressed, each as soon as its last byte has
 * arrived.
 */
export class FragmentDecoderStream extends StageStream<BytesLike, ReceivedFragment> {
  constructor(options?: UnpackOptions) {
    super(fragmentReceiverStage(options));
  }
}

/**
 * The bytes of a HoloTensor file in; its fragments out, verified and decompressed, each as soon as its last byte has
 * arrived.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response)
 *   .pipe(decodeFragments())
 *   .subscribe(({ index, header }) => console.log(index, header.shape));
 */
export function decodeFragments(options?: UnpackOptions): OperatorFunction<BytesLike, ReceivedFragment> {
  return stageOperator(fragmentReceiverStage(options));
}

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

/**
 * The fragments of one tensor in; the tensor out, better each time. `emit` says when; the last state always comes.
 * Where fragments arrive faster than reconstructions are computed, the ones between are skipped, never queued.
 *
 * All reconstructions share one array unless `reuseBuffer` is false: copy what must outlast the next one. With
 * `workers`, one of them decodes, and this thread only moves the bytes.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response)
 *   .pipe(decodeFragments(), reconstruct({ emit: { everyMs: 100 } }))
 *   .subscribe(({ data, quality }) => console.log(data.length, quality.cosine));
 */
export function reconstruct(
  options: ReconstructionStreamOptions = {},
): OperatorFunction<ReceivedFragment, Reconstruction> {
  return latestOperator(reconstructStage(options), options.scheduler);
}

/**
 * Passes reconstructions on, up to the first whose cosine similarity is at least `quality` (the true one where it is
 * known, else the predicted; for 1, to the complete one), then ends and cancels the source: no further bytes are
 * fetched.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * const tensors = response
 *   .body!.pipeThrough(new FragmentDecoderStream())
 *   .pipeThrough(new ReconstructionStream())
 *   .pipeThrough(new QualityLimiterStream(0.99));
 * for await (const { fragments, total } of tensors) console.log(fragments, 'of', total);
 */
export class QualityLimiterStream extends StageStream<Reconstruction, Reconstruction> {
  constructor(quality: number) {
    super(qualityLimiterStage(quality));
  }
}

/**
 * Passes reconstructions on, up to the first whose cosine similarity is at least `quality` (the true one where it is
 * known, else the predicted; for 1, to the complete one), then completes and unsubscribes from the source: no further
 * bytes are fetched.
 *
 * @example
 * import { last } from 'rxjs';
 *
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response)
 *   .pipe(decodeFragments(), reconstruct(), takeUntilQuality(0.99), last())
 *   .subscribe(({ data, quality }) => console.log(data.length, quality.cosine));
 */
export function takeUntilQuality(quality: number): MonoTypeOperatorFunction<Reconstruction> {
  return stageOperator(qualityLimiterStage(quality));
}

function qualityLimiterStage(quality: number): StageFactory<Reconstruction, Reconstruction> {
  check('quality', quality, QUALITY);
  return () => new QualityLimiter(quality);
}

/** Done with the first reconstruction that is good enough. */
class QualityLimiter implements Stage<Reconstruction, Reconstruction> {
  done = false;
  readonly #quality: number;

  constructor(quality: number) {
    this.#quality = quality;
  }

  push(reconstruction: Reconstruction): Reconstruction[] {
    this.done = reachesQuality(reconstruction, this.#quality);
    return [reconstruction];
  }

  flush(): readonly Reconstruction[] {
    return NOTHING;
  }
}

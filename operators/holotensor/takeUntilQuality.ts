import { type MonoTypeOperatorFunction, takeWhile } from 'rxjs';
import { reachesQuality } from '../../src/holotensor/quality.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { BaseTransformStream } from '../streamClasses.js';

/**
 * Hands reconstructions on up to the first whose cosine similarity is at least `quality` (the true one where it is
 * known, else the predicted; for 1, to the complete one), then ends and cancels the source: no further bytes are fetched.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * const tensors = response
 *   .body!.pipeThrough(new FragmentDecoderStream())
 *   .pipeThrough(new ReconstructionStream())
 *   .pipeThrough(new QualityLimiterStream(0.99));
 * for await (const { fragments, total } of tensors) console.log(fragments, 'of', total);
 */
export class QualityLimiterStream extends BaseTransformStream<Reconstruction, Reconstruction> {
  constructor(quality: number) {
    super(
      {
        transform(reconstruction, controller) {
          controller.enqueue(reconstruction);
          if (reachesQuality(reconstruction, quality)) controller.terminate();
        },
      },
      undefined,
      { highWaterMark: 0 },
    );
  }
}

/**
 * Hands reconstructions on up to the first whose cosine similarity is at least `quality` (the true one where it is
 * known, else the predicted; for 1, to the complete one), then completes and unsubscribes from the source: no further bytes are fetched.
 *
 * @example
 * import { last } from 'rxjs';
 *
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response.body!)
 *   .pipe(decodeFragments(), reconstruct(), takeUntilQuality(0.99), last())
 *   .subscribe(({ data, quality }) => console.log(data.length, quality.cosine));
 */
export function takeUntilQuality(quality: number): MonoTypeOperatorFunction<Reconstruction> {
  return takeWhile((reconstruction) => !reachesQuality(reconstruction, quality), true);
}

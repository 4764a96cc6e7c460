import type { MonoTypeOperatorFunction } from 'rxjs';
import { reachesQuality } from '../../src/holotensor/quality.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { NOTHING, type Stage } from '../../src/stage.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

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
export class QualityLimiterStream extends StageStream<Reconstruction, Reconstruction> {
  constructor(quality: number) {
    super(() => new QualityLimiter(quality));
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
  return stageOperator(() => new QualityLimiter(quality));
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

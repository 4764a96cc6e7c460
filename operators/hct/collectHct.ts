import type { OperatorFunction } from 'rxjs';
import type { HctTensor } from '../../src/hct/tensorCollector.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';
import { type HctTensorOptions, hctTensorStage } from './tensorStage.js';

/** The bytes of an HCT file in; when all have come, its tensor out: `{ dtype, shape, data }`. */
export class HctCollectorStream extends StageStream<Uint8Array, HctTensor> {
  constructor(options?: HctTensorOptions) {
    super(() => hctTensorStage(options));
  }
}

/**
 * The bytes of an HCT file in; when all have come, its tensor out: `{ dtype, shape, data }`.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * fromReadableStream(response.body!)
 *   .pipe(collectHct())
 *   .subscribe(({ shape, data }) => console.log(shape, data.length));
 */
export function collectHct(options?: HctTensorOptions): OperatorFunction<Uint8Array, HctTensor> {
  return stageOperator(() => hctTensorStage(options));
}

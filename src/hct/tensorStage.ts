import type { Stage } from '../stage.js';
import { type HctDecodeOptions, HctDecoder } from './decoder.js';
import { type HctTensor, type TensorCollectOptions, TensorCollector } from './tensorCollector.js';

export interface HctTensorOptions extends HctDecodeOptions, TensorCollectOptions {}

/** The bytes of an HCT file in; when all have come, its tensor out. */
export function hctTensorStage(options?: HctTensorOptions): Stage<Uint8Array, HctTensor> {
  const collector = new TensorCollector(options);
  return new HctDecoder((part, codec) => collector.add(part, codec), options);
}

import type { HctDecodeOptions } from '../../src/hct/decodeBlock.js';
import { HctDecoder, type HctPartHandler } from '../../src/hct/decoder.js';
import { type HctTensor, type TensorCollectOptions, TensorCollector } from '../../src/hct/tensorCollector.js';
import type { Stage } from '../../src/stage.js';
import { poolOf, type WorkersOption } from '../../workers/pool.js';
import { HctWorkerDecoder } from './workerDecoder.js';

export interface HctTensorOptions extends HctDecodeOptions, TensorCollectOptions, WorkersOption {}

/** The bytes of an HCT file in; when all have come, its tensor out. */
export function hctTensorStage(options: HctTensorOptions = {}): Stage<Uint8Array, HctTensor> {
  const collector = new TensorCollector(options);
  const part: HctPartHandler<HctTensor> = (each, decode) => collector.add(each, decode);
  const pool = poolOf(options.workers);
  if (pool === undefined) return new HctDecoder(part, options);
  const decoded = (bytes: Uint8Array, byteOffset: number) => collector.place(bytes, byteOffset);
  return new HctWorkerDecoder(pool, { part, decoded, copies: true }, options);
}

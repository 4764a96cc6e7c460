import type { BytesLike } from '../src/bytes/binary.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { HCT_DECODE_RULES, type HctDecodeOptions } from '../src/hct/decodeBlock.js';
import { decodedBytes, HctDecoder, type HctPartHandler } from '../src/hct/decoder.js';
import { HctParser } from '../src/hct/parser.js';
import { type CollectOptions, type HctTensor, TensorCollector } from '../src/hct/tensorCollector.js';
import type { Stage, StageFactory } from '../src/stage.js';
import { TYPED_ARRAY } from '../src/tensor/tensor.js';
import type { WorkerPool, WorkersOption } from '../workers/pool.js';
import { WORKERS } from '../workers/task.js';
import type { HctRunHandler } from './hctWorkerDecoder.js';

export interface HctBytesOptions extends HctDecodeOptions, WorkersOption {}
export interface HctTensorOptions extends HctDecodeOptions, WorkersOption, CollectOptions {}

const BYTES_RULES: Rules<HctBytesOptions> = { ...HCT_DECODE_RULES, workers: WORKERS };
export const TENSOR_RULES: Rules<HctTensorOptions> = { ...BYTES_RULES, out: TYPED_ARRAY };

const BYTES: HctRunHandler<Uint8Array> = {
  part: decodedBytes,
  decoded: (bytes) => [bytes],
  copies: false,
};

/** The bytes of an HCT file in, the bytes of its tensor out, verified. */
export function hctBytesStage(options: HctBytesOptions = {}): StageFactory<BytesLike, Uint8Array> {
  const { workers } = checkOptions(options, BYTES_RULES);
  return () => (workers ? workerStage(workers, BYTES, options) : new HctDecoder(decodedBytes, options));
}

/** The bytes of an HCT file in; when all have come, its tensor out. */
export function hctTensorStage(options: HctTensorOptions = {}): StageFactory<BytesLike, HctTensor> {
  const { workers } = checkOptions(options, TENSOR_RULES);
  return () => {
    const collector = new TensorCollector(options);
    const part: HctPartHandler<HctTensor> = (each, decode) => collector.add(each, decode);
    if (!workers) return new HctDecoder(part, options);
    const decoded = (bytes: Uint8Array, byteOffset: number) => collector.place(bytes, byteOffset);
    return workerStage(workers, { part, decoded, copies: true }, options);
  };
}

/** Loads what handles workers on demand: most pages decode without. */
async function workerStage<O>(
  workers: number | WorkerPool,
  handler: HctRunHandler<O>,
  options: HctDecodeOptions,
): Promise<Stage<BytesLike, O>> {
  const { HctWorkerDecoder } = await import('./hctWorkerDecoder.js');
  return new HctWorkerDecoder(workers, new HctParser(options), handler, options);
}

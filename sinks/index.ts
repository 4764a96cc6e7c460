/**
 * Where bytes and tensors go. Files on disk are in `holostream/node`.
 *
 * @example
 * const sink = memorySink();
 * const file = new HctSink(sink, { dtype: 'I8', shape: [64] });
 * await new Blob([new Uint8Array(64)]).stream().pipeTo(file);
 * console.log((await file.stats).ratio, sink.bytes.length);
 *
 * @module
 */

export type { HctTensorOptions } from '../operators/hctStages.js';
export type { AbortOptions } from '../src/checks/abortOptions.js';
export type { CompressionAlgorithm, CompressOptions, Implementation } from '../src/codecs/codec.js';
export type { HctEncodeOptions } from '../src/hct/encoder.js';
export type { HctFileOptions } from '../src/hct/plan.js';
export type { HctTensor } from '../src/hct/tensorCollector.js';
export type { HoloFragment } from '../src/holotensor/fragment.js';
export type { HoloTensorHeader } from '../src/holotensor/header.js';
export type { SafetensorsDeclaration, SafetensorsHeader } from '../src/safetensors/header.js';
export type { SeekableSink } from '../src/source.js';
export { type HctCompressionStats, HctSink, HctWriter, type HctWriterOptions } from './hct.js';
export { HoloTensorWriter, type HoloTensorWriterOptions } from './holotensor.js';
export { type MemorySink, type MemorySinkOptions, memorySink } from './memory.js';
export { SafetensorsWriter, type SafetensorsWriterOptions } from './safetensors.js';
export { sinkStream, streamSink } from './streams.js';
export { type CollectTensorOptions, collectTensor, TensorSink } from './tensor.js';

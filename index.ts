/**
 * Streams neural-network weights: usable after the first fragments, better with each one, exact at the end.
 *
 * This entry has what programs use in browsers and in Node. Files on disk are in `holostream/node`, the wire level of
 * the formats in `holostream/formats`; `holostream/sources`, `/operators` and `/sinks` have the rarer parts of theirs.
 *
 * @example
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const usable = await model.load({ quality: 0.97 });
 * const exact = await model.load();
 * await model.close();
 *
 * @module
 */

// Sources: where bytes come from.

export {
  type AbortOptions,
  type ByteRangeOptions,
  type ByteSource,
  type ByteStreamLike,
  type BytesLike,
  blobSource,
  bytesSource,
  type Cache,
  type CachedFile,
  type CacheOptions,
  type CacheStore,
  cacheApiStore,
  type Extents,
  type FileHandleLike,
  type HttpSourceOptions,
  httpSource,
  type Limiter,
  memoryStore,
  type OnSourceEvent,
  openCache,
  opfsStore,
  type RandomAccessSource,
  type Range,
  type ReadOptions,
  type RetryOptions,
  type SourceEvent,
  type SourceInput,
  type StoredEntry,
  streamSource,
  type WithCacheOptions,
  withCache,
} from './sources/index.js';

// Stages: each one as a stream for `pipeThrough` and as an operator for `pipe`.

export {
  collectHct,
  decodeFragments,
  decodeHct,
  type EmitPolicy,
  encodeHct,
  FragmentDecoderStream,
  fromReadableStream,
  type HctBlock,
  type HctBytesOptions,
  HctCollectorStream,
  HctDecoderStream,
  type HctEncodeOptions,
  HctEncoderStream,
  type HctEnd,
  type HctPart,
  type HctStart,
  type HctTensor,
  type HctTensorOptions,
  HctVerificationStream,
  type ImplementationOptions,
  type Outputs,
  QualityLimiterStream,
  type ReceivedFragment,
  type Reconstruction,
  ReconstructionStream,
  type ReconstructionStreamOptions,
  type ReconstructOptions,
  reconstruct,
  type Scheduler,
  type Stage,
  type StageFactory,
  type StageStream,
  takeUntilQuality,
  type UnpackOptions,
  verifyHct,
} from './operators/index.js';

// Sinks: where bytes and tensors go.

export {
  type CollectTensorOptions,
  collectTensor,
  type HctCompressionStats,
  HctWriter,
  type HctWriterOptions,
  HoloTensorWriter,
  type HoloTensorWriterOptions,
  type MemorySink,
  type MemorySinkOptions,
  memorySink,
  SafetensorsWriter,
  type SafetensorsWriterOptions,
  type SeekableSink,
  sinkStream,
  streamSink,
} from './sinks/index.js';

// Readers: any part of a tensor file, over a source.

export { HctReader } from './readers/hctReader.js';
export type { HctReadAllOptions } from './readers/hctSourceReader.js';
export {
  HoloTensorReader,
  type HoloTensorReadOptions,
} from './readers/holotensorReader.js';
export { NpyReader } from './readers/npyReader.js';
export type { HctReaderOptions } from './readers/openHct.js';
export type { HoloTensorReaderOptions } from './readers/openHoloTensor.js';
export { readSafetensors } from './readers/safetensors.js';
export type { ReadAllOptions, TensorReader } from './readers/tensorReader.js';

// Whole models: one file of fragments, or a directory of HCT files.

export {
  type EncodeModelOptions,
  encodeModel,
  type ModelCompressionOptions,
} from './models/directory/encodeModel.js';
export type { ManifestTensor, ModelFileFormat, ModelManifest } from './models/directory/manifest.js';
export {
  ModelReader,
  type OpenModelFile,
} from './models/directory/modelReader.js';
export { type DecodeModelFileOptions, decodeModelFile } from './models/file/decodeModelFile.js';
export {
  encodeModelFile,
  type ModelFileStats,
} from './models/file/encodeModelFile.js';
export type { EncodeModelFileOptions } from './models/file/encodeOptions.js';
export type { FragmentOptions } from './models/file/encodeTensor.js';
export type { ModelFile, ModelFileTensor, ModelPiece } from './models/file/modelFile.js';
export type { EncodedTensorPlan, ModelPlan, SourceFile, TensorPlan } from './models/file/plan.js';
export type { ModelSourceFile } from './models/file/sourceFiles.js';
export { memoryStagingStore, type StagingStore } from './models/file/stagingStore.js';
export type { Integrity } from './models/inputs/content.js';
export { openForeignModel } from './models/inputs/foreign.js';
export type { ForeignModel, ForeignModelOptions } from './models/inputs/foreignModel.js';
export type { LoadOptions } from './models/load.js';
export type { Model, ModelTensorInfo } from './models/model.js';
export { type OpenAnyFile, type OpenModelOptions, openModel } from './models/openModel.js';
export type {
  LoadedTensor,
  OutputArrays,
  OutputOptions,
  OutputTensor,
  OutputType,
} from './models/output.js';
export type { PlainFile, PlainFileOptions } from './models/plain/plainFile.js';
export type { PlainResponseOptions } from './models/plain/response.js';
export type { PlanOptions } from './models/planning.js';
export type { ModelProgress } from './models/progress.js';
export type { ModelSnapshot, SnapshotOptions } from './models/takeSnapshots.js';
export type { TensorOrder } from './models/tensorWeight.js';

// One tensor as fragments, in memory.

export { type DecodeOptionsOf, loadDecodings } from './src/encodings/decodings.js';
export type { ElementRange, HolographicEncoding } from './src/encodings/encoding.js';
export type { EncodeOptionsOf } from './src/encodings/encodings.js';
export type {
  CommonDecodeOptions,
  EncodingDecodeOptions,
  HoloTensorDecoderOptions,
  RangeOption,
} from './src/holotensor/decodeOptions.js';
export { HoloTensorDecoder } from './src/holotensor/decoder.js';
export {
  type CommonEncodeOptions,
  type EncodedTensor,
  HoloTensorEncoder,
  type HoloTensorEncoderOptions,
} from './src/holotensor/encoder.js';
export type { FragmentIndexEntry, HoloFragment } from './src/holotensor/fragment.js';
export type { HoloTensorHeader } from './src/holotensor/header.js';
export type { QualityCurve, ReconstructionQuality } from './src/holotensor/quality.js';
export type { ReconstructionOptions } from './src/holotensor/reconstruction.js';

// Tensors, their elements and how alike they are.

export { dequantize } from './src/tensor/dequantize.js';
export type { DType } from './src/tensor/dtype.js';
export { toFloat16 } from './src/tensor/float16.js';
export { fromFloat32, type ToFloat32Options } from './src/tensor/numbers.js';
export type {
  DequantizeGroups,
  Quantization,
  QuantizationMetadata,
  QuantizationScheme,
} from './src/tensor/quantization.js';
export { type Similarity, similarity } from './src/tensor/similarity.js';
export {
  type Float16ArrayLike,
  type Tensor,
  type TensorData,
  viewBytes,
  viewElements,
} from './src/tensor/tensor.js';
export { toFloat32 } from './src/tensor/toFloat32.js';

// What else the signatures above mention.

export type { OwnBytes } from './src/bytes/binary.js';
export type { Budget, Limits, LimitsOption } from './src/checks/limits.js';
export type { CompressionAlgorithm, CompressOptions, Implementation } from './src/codecs/codec.js';
export type { BlockIndex, BlockIndexEntrySize, BlockIndexV2, BlockTable } from './src/hct/blockIndex.js';
export type { HctDecodeOptions } from './src/hct/decodeBlock.js';
export type { HctHeader } from './src/hct/header.js';
export type { HctFileOptions } from './src/hct/plan.js';
export type { Kernels } from './src/kernels/kernels.js';
export type { NpyHeader } from './src/npy/header.js';
export type {
  SafetensorsDeclaration,
  SafetensorsDType,
  SafetensorsHeader,
  SafetensorsTensor,
} from './src/safetensors/header.js';

// Threads that decode.

export type { WorkerPoolOptions } from './workers/members.js';
export { WorkerPool, type WorkersOption } from './workers/pool.js';

// Errors: one family, with fields beside the sentence.

export {
  ArgumentError,
  ChecksumError,
  CodecError,
  type ErrorDetails,
  FormatError,
  HolostreamError,
  LimitError,
  SinkError,
  SourceChangedError,
  SourceError,
  type SourceErrorDetails,
  TruncatedError,
  UnsupportedError,
  WorkerError,
} from './src/errors.js';

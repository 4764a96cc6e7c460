/**
 * The wire level, for programs that inspect or write files themselves: headers, index entries, constants, numeric codes, codecs,
 * checksums, and the kernels that the synchronous calls use.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 *
 * const header = parseHctHeader(await readFile('fc1.weight.hct'));
 * console.log(header.version, header.dtype, header.shape, header.blockCount);
 *
 * @module
 */

// Element types, float conversion, quantization, .npy.

export { type NpyHeader, npyHeader, parseNpyHeader } from './src/npy/header.js';
export {
  bitsPerElement,
  byteLengthOf,
  DTYPES,
  type DType,
  dtypeCode,
  dtypeFromCode,
  elementCount,
} from './src/tensor/dtype.js';
export { bfloat16ToFloat32, float32ToBfloat16, float32ToHalf, halfToFloat32 } from './src/tensor/float.js';
export { packInt4, unpackInt4 } from './src/tensor/int4.js';
export {
  groupScaleCount,
  parseQuantizationMetadata,
  QUANTIZATION_METADATA_SIZE,
  QUANTIZATION_SCHEMES,
  type QuantizationMetadata,
  type QuantizationScheme,
} from './src/tensor/quantization.js';
export { serializeQuantizationMetadata } from './src/tensor/serializeQuantization.js';
export type { Tensor } from './src/tensor/tensor.js';

// HCT: header, block index, extension section.

export {
  BLOCK_INDEX_SIZE,
  BLOCK_INDEX_V2_SIZE,
  type BlockIndex,
  type BlockIndexEntrySize,
  type BlockIndexV2,
  type BlockTable,
  parseBlockTable,
} from './src/hct/blockIndex.js';
export {
  DEFAULT_BLOCK_SIZE,
  FLAG_BLOCK_CHECKSUMS,
  FLAG_HEADER_CHECKSUM,
  FLAG_HOLOGRAPHIC,
  FLAG_QUANTIZATION,
  FLAG_QUANTIZATION_CHECKSUM,
  FLAG_SHAPE_IN_EXTENSION,
  FLAG_TENSOR_NAME,
  HCT_HEADER_SIZE,
  HCT_MAGIC,
  HCT_MAX_BLOCK_BYTES,
  HCT_MAX_RANK,
  HCT_VERSION,
  HCT_VERSION_V2,
} from './src/hct/constants.js';
export {
  HCT_EXTENSION_MAGIC,
  type HctExtension,
  parseHctExtensionBody,
  parseHctExtensionPrefix,
} from './src/hct/extension.js';
export { blockLength, type HctHeader, parseHctHeader } from './src/hct/header.js';
export { HctParser } from './src/hct/parser.js';
export type { HctBlock, HctEnd, HctPart, HctStart } from './src/hct/parts.js';
export { type HctFileOptions, planHctHeader } from './src/hct/plan.js';
export {
  serializeBlockIndex,
  serializeBlockIndexV2,
  serializeHctExtension,
  serializeHctHeader,
} from './src/hct/serialize.js';

// HoloTensor: header, fragment index, quality curve.

export {
  FRAGMENT_FLAG_LZ4,
  FRAGMENT_FLAG_ZSTD,
  FRAGMENT_INDEX_ENTRY_SIZE,
  HOLO_FLAG_ESSENTIAL_FIRST,
  HOLO_FLAG_FRAGMENT_CHECKSUMS,
  HOLO_FLAG_HEADER_CHECKSUM,
  HOLO_FLAG_INTERLEAVED,
  HOLO_FLAG_NORM,
  HOLO_FLAG_QUALITY_CURVE,
  HOLO_FLAG_QUANTIZATION,
  HOLO_HEADER_SIZE,
  HOLO_MAGIC,
  HOLO_MAX_FRAGMENTS,
  HOLO_MAX_RANK,
  HOLO_VERSION,
} from './src/holotensor/constants.js';
export { fitQualityCurve } from './src/holotensor/fitQuality.js';
export {
  type FragmentIndexEntry,
  type HoloFragment,
  parseFragmentIndexEntry,
  type StoredFragment,
} from './src/holotensor/fragment.js';
export {
  fragmentCount,
  type HoloTensorHeader,
  parseHoloTensorHeader,
} from './src/holotensor/header.js';
export { type PackOptions, packHoloTensor } from './src/holotensor/pack.js';
export { HoloTensorParser } from './src/holotensor/parser.js';
export {
  DEFAULT_QUALITY_CURVES,
  expectedCosine,
  QualityCurve,
  type ReconstructionQuality,
} from './src/holotensor/quality.js';
export { serializeFragmentIndexEntry, serializeHoloTensorHeader } from './src/holotensor/serializeHeader.js';

// What is inside a fragment: the encodings.

export { EmbeddedDecoder } from './src/encodings/embedded/decoder.js';
export { type EmbeddedEncodeOptions, EmbeddedEncoder } from './src/encodings/embedded/embedded.js';
export {
  type DecodeRequest,
  type Decoding,
  type ElementRange,
  ENCODING_CODES,
  type EncodedFragments,
  type EncodeMemory,
  type EncodeRequest,
  type Encoding,
  type EncodingQuality,
  encodingFromCode,
  type FragmentDecoder,
  type HolographicEncoding,
  type MatrixShape,
} from './src/encodings/encoding.js';
export { ENCODINGS } from './src/encodings/encodings.js';
export { LowRankDecoder } from './src/encodings/lowRank/decoder.js';
export {
  type LowRankEncodeOptions,
  LowRankEncoder,
  type LowRankLayout,
} from './src/encodings/lowRank/lowRank.js';
export type { GaussianDecodeOptions } from './src/encodings/randomProjection/decodeOptions.js';
export {
  type ProjectionMatrix,
  type RandomProjectionDecodeOptions,
  RandomProjectionDecoder,
} from './src/encodings/randomProjection/decoder.js';
export type { GaussianEncodeOptions } from './src/encodings/randomProjection/gaussianEncode.js';
export {
  type RandomProjectionEncodeOptions,
  RandomProjectionEncoder,
} from './src/encodings/randomProjection/randomProjection.js';
export { SpectralDecoder, type SpectralLayout } from './src/encodings/spectral/decoder.js';
export { type SpectralEncodeOptions, SpectralEncoder } from './src/encodings/spectral/spectral.js';

// Safetensors.

export { type ReadSafetensorsHeaderOptions, readSafetensorsHeader } from './readers/safetensors.js';
export {
  isSafetensorsDType,
  SAFETENSORS_DTYPES,
  SAFETENSORS_LENGTH_SIZE,
  SAFETENSORS_MAX_HEADER_SIZE,
  SAFETENSORS_METADATA_KEY,
  type SafetensorsDeclaration,
  type SafetensorsDType,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsByteLength,
} from './src/safetensors/header.js';
export {
  parseSafetensorsHeader,
  type SafetensorsParseOptions,
  safetensorsHeaderSize,
} from './src/safetensors/parse.js';
export { serializeSafetensorsHeader } from './src/safetensors/serialize.js';

// Model files and model directories.

export {
  MANIFEST_NAME,
  type ManifestTensor,
  type ModelFileFormat,
  type ModelManifest,
  parseManifest,
  serializeManifest,
} from './models/directory/manifest.js';
export {
  type CalibratedTensor,
  type CalibrateOptions,
  calibrate,
  type EvaluateWeights,
} from './models/file/calibrate.js';
export { readModelTensor } from './models/file/decodeModelFile.js';
export {
  type ModelFile,
  type ModelFileTensor,
  type ModelPiece,
  parseModelFile,
  readModelFile,
} from './models/file/modelFile.js';
export { parseModelPlan } from './models/file/parsePlan.js';
export {
  type EncodedTensorPlan,
  MODEL_FILE_VERSION,
  type ModelPlan,
  type SourceFile,
  type TensorPlan,
} from './models/file/plan.js';
export { serializeModelPlan } from './models/file/serializePlan.js';

// Codecs and checksums.

export {
  type BlockDecoder,
  COMPRESSION_ALGORITHMS,
  type Codec,
  type CompressionAlgorithm,
  type CompressOptions,
  compressionFromCode,
  type Implementation,
} from './src/codecs/codec.js';
export { loadCodec } from './src/codecs/loadCodec.js';
export { type CodecOptions, loadDecoder } from './src/codecs/loadDecoder.js';
export { xxh3 } from './src/kernels/xxh3/checksum.js';

// Kernels, and what is built on them directly.

export type { DctKernels, Stretches } from './src/kernels/dct/interface.js';
export { type DctOptions, dct1d, dct2d, idct1d, idct2d } from './src/kernels/dct/transforms.js';
export type { EmbeddedKernels } from './src/kernels/embedded/interface.js';
export type { FloatKernels } from './src/kernels/float/interface.js';
export type { GaussianKernels } from './src/kernels/gaussian/interface.js';
export { SEED_STEP, SeededRng } from './src/kernels/gaussian/rng.js';
export type { CommonKernels, KernelSubject, Kernels, SubjectKernels } from './src/kernels/kernels.js';
export type { SumKernels } from './src/kernels/linear/interface.js';
export { type KernelOptions, loadKernels } from './src/kernels/loadKernels.js';
export type { Lz4EncodeKernels, Lz4Kernels } from './src/kernels/lz4/interface.js';
export type { ChecksumKernels } from './src/kernels/xxh3/interface.js';
export type { ZstdKernels } from './src/kernels/zstd/interface.js';

// What the signatures above mention of sources and stages.

export type { AbortOptions } from './src/checks/abortOptions.js';
export type { Cost, Limits, LimitsOption } from './src/checks/limits.js';
export type { ByteSource, RandomAccessSource, ReadOptions } from './src/source.js';
export type { Stage, SyncStage } from './src/stage.js';

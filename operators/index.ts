/**
 * The stages, each one as a `TransformStream` and as an RxJS operator. Both take the same options.
 *
 * @module
 */

export type { HctLimits } from '../src/hct/constants.js';
export type { HctEncodeOptions } from '../src/hct/encoder.js';
export type { HctBlock, HctData, HctDecodedPart, HctEnd, HctPart, HctStart } from '../src/hct/parts.js';
export type { HctTensor } from '../src/hct/tensorCollector.js';
export type { ImplementationOptions } from '../src/hct/tools.js';
export type { ReceivedFragment } from '../src/holotensor/fragment.js';
export type { Reconstruction } from '../src/holotensor/reconstruction.js';
export type { EmitPolicy, ReconstructOptions } from '../src/holotensor/reconstructor.js';
export type { UnpackOptions } from '../src/holotensor/unpack.js';
export type { Stage, StageFactory } from '../src/stage.js';
export type { WorkersOption } from '../workers/pool.js';
export { fromReadableStream } from './fromReadableStream.js';
export type { HctBytesOptions } from './hct/bytesStage.js';
export { collectHct, HctCollectorStream } from './hct/collectHct.js';
export { decodeHct, HctDecoderStream } from './hct/decodeHct.js';
export { decompressHct, HctDecompressionStream } from './hct/decompressHct.js';
export { encodeHct, HctEncoderStream } from './hct/encodeHct.js';
export { HctParserStream, parseHct } from './hct/parseHct.js';
export type { HctTensorOptions } from './hct/tensorStage.js';
export { HctVerificationStream, verifyHct } from './hct/verifyHct.js';
export { decodeFragments, FragmentDecoderStream } from './holotensor/fragments.js';
export { reconstruct } from './holotensor/reconstruct.js';
export type { ReconstructionStreamOptions } from './holotensor/reconstructStage.js';
export { ReconstructionStream } from './holotensor/reconstructStream.js';
export { QualityLimiterStream, takeUntilQuality } from './holotensor/takeUntilQuality.js';
export { encodeNpy, NpyEncoderStream } from './npy.js';
export { stageOperator } from './stageOperator.js';
export { StageStream } from './stageStream.js';

/**
 * The stages, each one as a `TransformStream` and as an RxJS operator. Both take the same options.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.hct');
 * const parts = response.body!.pipeThrough(new HctParserStream()).pipeThrough(new HctVerificationStream());
 * for await (const part of parts) if (part.kind === 'end') console.log('sound', part.shape);
 *
 * @module
 */

export type { ByteStreamLike, FileHandleLike } from '../platform/byteReader.js';
export type { BytesLike } from '../src/bytes/binary.js';
export type { HctEncodeOptions } from '../src/hct/encoder.js';
export type { HctBlock, HctData, HctDecodedPart, HctEnd, HctPart, HctStart } from '../src/hct/parts.js';
export type { HctTensor } from '../src/hct/tensorCollector.js';
export type { ImplementationOptions } from '../src/hct/tools.js';
export type { ReceivedFragment } from '../src/holotensor/fragment.js';
export type { EmitPolicy } from '../src/holotensor/pacing.js';
export type { Reconstruction } from '../src/holotensor/reconstruction.js';
export type { ReconstructOptions } from '../src/holotensor/reconstructor.js';
export type { UnpackOptions } from '../src/holotensor/unpack.js';
export type { NpyData, NpyPart, NpyStart } from '../src/npy/stages.js';
export type { Outputs, Stage, StageFactory } from '../src/stage.js';
export type { WorkersOption } from '../workers/pool.js';
export { fromReadableStream } from './fromReadableStream.js';
export {
  collectHct,
  decodeHct,
  decompressHct,
  encodeHct,
  HctCollectorStream,
  HctDecoderStream,
  HctDecompressionStream,
  HctEncoderStream,
  HctParserStream,
  HctVerificationStream,
  parseHct,
  verifyHct,
} from './hct.js';
export type { HctBytesOptions, HctTensorOptions } from './hctStages.js';
export {
  decodeFragments,
  FragmentDecoderStream,
  QualityLimiterStream,
  ReconstructionStream,
  reconstruct,
  takeUntilQuality,
} from './holotensor.js';
export type { Scheduler } from './latestRun.js';
export { encodeNpy, NpyEncoderStream, NpyParserStream, parseNpy } from './npy.js';
export type { ReconstructionStreamOptions } from './reconstructStage.js';
export { stageOperator } from './stageOperator.js';
export { StageStream } from './stageStream.js';

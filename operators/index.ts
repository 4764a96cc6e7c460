/** The stages, each as a TransformStream class and as an RxJS operator. */

export * from './fromReadableStream.js';
export * from './hct/bytesStage.js';
export * from './hct/collectHct.js';
export * from './hct/decodeHct.js';
export * from './hct/decompressHct.js';
export * from './hct/encodeHct.js';
export * from './hct/parseHct.js';
export * from './hct/tensorStage.js';
export * from './hct/verifyHct.js';
export * from './holotensor/fragments.js';
export * from './holotensor/reconstruct.js';
export * from './holotensor/reconstructStream.js';
export * from './holotensor/takeUntilQuality.js';
export * from './npy.js';
export * from './stageOperator.js';
export * from './stageStream.js';

/** The stages, each as a TransformStream class and as an RxJS operator. */

export * from './fromByteStream.js';
export * from './stageOperator.js';
export * from './stageStream.js';

/** A whole model in one file that safetensors readers accept: fragments of all tensors, the most useful first. */

export * from './decodeModelFile.js';
export * from './encodeModelFile.js';
export * from './encodeTensor.js';
export * from './modelFile.js';
export * from './plan.js';
export * from './scanOrder.js';
export * from './sourceFiles.js';
export * from './stagingStore.js';
export * from './tensorDecoder.js';

/** The pure core: bytes in, values out. One export a line group, in the order in which data passes. */

export * from './byteQueue.js';
export * from './checksum.js';
export * from './codecs/codec.js';
export * from './codecs/loadCodec.js';
export * from './dct.js';
export * from './dtype.js';
export * from './encodings/index.js';
export * from './errors.js';
export * from './float.js';
export * from './hct/index.js';
export * from './holotensor/index.js';
export * from './int4.js';
export type * from './kernels/kernels.js';
export * from './kernels/loadKernels.js';
export * from './model/encodeModel.js';
export * from './model/fileNames.js';
export * from './model/manifest.js';
export * from './model/modelReader.js';
export * from './npy.js';
export * from './numbers.js';
export * from './quantization.js';
export * from './rng.js';
export * from './safetensors/index.js';
export type * from './source.js';
export type * from './stage.js';
export type * from './tensor.js';
export * from './views.js';

/** The pure core: bytes in, values out. One export a line group, in the order in which data passes. */

export * from './bytes/byteQueue.js';
export * from './bytes/ranges.js';
export * from './codecs/codec.js';
export * from './codecs/loadCodec.js';
export * from './codecs/loadDecoder.js';
export * from './encodings/index.js';
export * from './errors.js';
export * from './hct/index.js';
export * from './holotensor/index.js';
export * from './kernels/dct/transforms.js';
export * from './kernels/gaussian/rng.js';
export type * from './kernels/kernels.js';
export * from './kernels/loadKernels.js';
export * from './kernels/xxh3/checksum.js';
export * from './safetensors/index.js';
export type * from './source.js';
export type * from './stage.js';
export * from './tensor/dtype.js';
export * from './tensor/float.js';
export * from './tensor/int4.js';
export * from './tensor/npy.js';
export * from './tensor/numbers.js';
export * from './tensor/quantization.js';
export * from './tensor/similarity.js';
export * from './tensor/tensor.js';
export * from './tensor/views.js';

/** LZ4 available without loading, for headers. Callers with loaded kernels use those, which give the same bytes faster. */

export { lz4DecompressInto } from './portable/decode.js';
export { lz4Compress } from './portable/encode.js';

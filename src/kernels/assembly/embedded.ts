// Decoding the embedded encoding, tile by tile; `src/kernels/portable/embedded` does the same, and says why.
export { decodeBitmap } from './embedded/bitmaps';
export { decodeMantissas } from './embedded/mantissas';
export { placeWeights } from './embedded/placeWeights';
export { decodePlanes, decodeSigns } from './embedded/planes';
export { decodeSmall } from './embedded/small';

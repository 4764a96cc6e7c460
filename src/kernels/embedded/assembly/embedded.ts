// Decoding the embedded encoding, tile by tile; `../portable` does the same, and says why.
export { decodeBitmap } from './bitmaps';
export { decodeMantissas } from './mantissas';
export { placeWeights } from './placeWeights';
export { decodePlanes, decodeSigns } from './planes';
export { decodeSmall } from './small';

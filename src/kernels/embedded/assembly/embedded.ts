// Decoding the embedded encoding, tile by tile; `../portable` does the same, and says why.
export { decodeBitmap } from './bitmaps';
export { decodeMantissas } from './mantissas';
export { placeWeights } from './placeWeights';
export { decodePlanes, decodeSigns, mostCount } from './planes';
export { restoreLong, restoreShort } from './restoreOrder';
export { decodeSmall } from './small';
export { storeTables } from './spread';

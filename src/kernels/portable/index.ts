import { dequantizeGroups } from '../../dequantizeGroups.js';
import { bfloat16ToFloat32, float32ToBfloat16, float32ToHalf, halfToFloat32 } from '../../float.js';
import type { Kernels } from '../kernels.js';
import { dct2d, idct2d } from './dct.js';
import { portableEmbedded } from './embedded/index.js';
import { gaussianRows } from './gaussian.js';
import { lz4DecompressInto } from './lz4Decode.js';
import { lz4Compress } from './lz4Encode.js';
import { addProduct } from './multiply.js';
import { xxh3 } from './xxh3.js';
import { zstdDecompressInto } from './zstd/decode.js';

/** The kernels in TypeScript: there at once, on every engine, under every content policy. */
export const portableKernels: Kernels = {
  implementation: 'portable',
  embedded: portableEmbedded,
  xxh3,
  lz4DecompressInto(block, out, check) {
    check?.(xxh3(block));
    lz4DecompressInto(block, out);
  },
  lz4Compress,
  zstdDecompressInto,
  dct2d,
  idct2d,
  gaussianRows,
  bfloat16ToFloat32,
  float32ToBfloat16,
  halfToFloat32,
  float32ToHalf,
  dequantizeGroups,
  addProduct,
  release() {},
};

import { dequantizeGroups } from '../tensor/dequantizeGroups.js';
import { bfloat16ToFloat32, float32ToBfloat16, float32ToHalf, halfToFloat32 } from '../tensor/float.js';
import { dct2d, idct2d } from './dct/portable.js';
import { portableEmbedded } from './embedded/portable.js';
import { gaussianRows } from './gaussian/portable.js';
import type { Kernels } from './kernels.js';
import { addProduct } from './linear/portable/multiply.js';
import { lz4DecompressInto } from './lz4/portable/decode.js';
import { lz4Compress } from './lz4/portable/encode.js';
import { xxh3 } from './xxh3/portable.js';
import { zstdDecompressInto } from './zstd/portable.js';

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

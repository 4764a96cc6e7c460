import { xxh3 } from '../xxh3/portable.js';
import type { Lz4Kernels } from './interface.js';
import { lz4DecompressInto } from './portable/decode.js';

export const portableLz4: Lz4Kernels = {
  lz4DecompressInto(block, out, check) {
    check?.(xxh3(block));
    lz4DecompressInto(block, out);
  },
};

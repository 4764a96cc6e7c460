import { portableDct } from './dct/portable.js';
import { portableEmbedded } from './embedded/portable.js';
import { portableFloat } from './float/portable.js';
import { portableGaussian } from './gaussian/portable.js';
import type { Kernels } from './kernels.js';
import { portableSum } from './linear/portable.js';
import { lz4Compress } from './lz4/portable/encode.js';
import { portableLz4 } from './lz4/portable.js';
import { portableXxh3 } from './xxh3/portable.js';
import { portableZstd } from './zstd/portable.js';

/** The kernels in TypeScript: available on every engine, under every content security policy. */
export const portableKernels: Kernels = {
  implementation: 'portable',
  ...portableDct,
  ...portableEmbedded,
  ...portableFloat,
  ...portableGaussian,
  ...portableLz4,
  lz4Compress,
  ...portableSum,
  ...portableXxh3,
  ...portableZstd,
  release() {},
};

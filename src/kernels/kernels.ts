import type { DctKernels } from './dct/interface.js';
import type { EmbeddedKernels } from './embedded/interface.js';
import type { FloatKernels } from './float/interface.js';
import type { GaussianKernels } from './gaussian/interface.js';
import type { SumKernels } from './linear/interface.js';
import type { Lz4Kernels } from './lz4/interface.js';
import type { ChecksumKernels } from './xxh3/interface.js';
import type { ZstdKernels } from './zstd/interface.js';

/**
 * The inner loops that decide the speed, behind one interface with two implementations: `portable` (TypeScript,
 * available at once, needs nothing) and `wasm` (SIMD, loaded once). Both give the same results.
 */
export interface Kernels
  extends ChecksumKernels,
    DctKernels,
    FloatKernels,
    GaussianKernels,
    Lz4Kernels,
    SumKernels,
    ZstdKernels {
  readonly implementation: 'portable' | 'wasm';
  readonly embedded: EmbeddedKernels;
  /**
   * Gives back working memory that large inputs have made grow; the next call takes it anew. Unused kernels do so
   * automatically after a while.
   */
  release(): void;
}

import type { DctKernels } from './dct/interface.js';
import type { EmbeddedKernels } from './embedded/interface.js';
import type { FloatKernels } from './float/interface.js';
import type { GaussianKernels } from './gaussian/interface.js';
import type { SumKernels } from './linear/interface.js';
import type { Lz4EncodeKernels, Lz4Kernels } from './lz4/interface.js';
import type { ChecksumKernels } from './xxh3/interface.js';
import type { ZstdKernels } from './zstd/interface.js';

/** The functions of each subject. */
export interface SubjectKernels {
  dct: DctKernels;
  embedded: { readonly embedded: EmbeddedKernels };
  float: FloatKernels;
  gaussian: GaussianKernels;
  linear: SumKernels;
  lz4: Lz4Kernels;
  lz4Encode: Lz4EncodeKernels;
  xxh3: ChecksumKernels;
  zstd: ZstdKernels;
}

/** What there are kernels for. */
export type KernelSubject = keyof SubjectKernels;

/** What kernels of all subjects have in common. */
export interface CommonKernels {
  readonly implementation: 'portable' | 'wasm';
  /**
   * Frees working memory that has grown for large inputs; the next call allocates it again. Unused kernels free it
   * automatically after a while.
   */
  release(): void;
}

/**
 * The inner loops that decide the speed, of these subjects or of all, in one of two implementations: `portable`
 * (TypeScript, runs everywhere) and `wasm` (SIMD). Both give the same results.
 */
export type Kernels<S extends KernelSubject = KernelSubject> = CommonKernels &
  IntersectionOf<SubjectKernels[S]>;

type IntersectionOf<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

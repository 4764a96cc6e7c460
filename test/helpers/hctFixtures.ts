import type { DType } from '../../src/tensor/dtype.js';
import { manifest, readReference } from './fixtures.js';

/** An HCT file that the reference wrote, as the manifest describes it. */
export interface HctFixture {
  readonly file: string;
  readonly expected: string;
  readonly version: 1 | 2;
  readonly algorithm: 'lz4' | 'zstd';
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly blockSize: number;
  readonly blockChecksums: boolean;
  readonly quantization?: {
    readonly groupSize: number;
    readonly scaleBits: number;
    readonly zeroPoint: number;
    readonly hasPerGroupScales: boolean;
  };
}

export const hctFixtures = manifest<HctFixture[]>('hct').map((described) => ({
  ...described,
  bytes: readReference(described.file),
  raw: readReference(described.expected),
}));

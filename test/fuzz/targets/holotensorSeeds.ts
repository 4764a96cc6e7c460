import type { Codec } from '../../../src/codecs/codec.js';
import { loadCodec } from '../../../src/codecs/loadCodec.js';
import type { HolographicEncoding } from '../../../src/encodings/encoding.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../../src/holotensor/pack.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { type DType, elementCount } from '../../../src/tensor/dtype.js';
import { fromFloat32 } from '../../../src/tensor/numbers.js';
import { concatBytes } from '../../helpers/bytes.js';
import { manifest, readReference } from '../../helpers/fixtures.js';
import type { HoloFixture } from '../../helpers/holoFixtures.js';
import { INT8_SCALE_1 } from '../../helpers/quantization.js';
import { noise } from '../../helpers/random.js';
import type { Seed } from '../target.js';

/** Small files of all encodings, in all their layouts, of several dtypes and shapes, compressed or not. */

const REFERENCE_ENCODINGS: Readonly<Record<HoloFixture['encoding'], HolographicEncoding>> = {
  spectral: 'spectral',
  rph: 'random-projection',
  lrdf: 'low-rank',
};

export async function holoSeeds(): Promise<Record<HolographicEncoding, Seed[]>> {
  const lz4 = await loadCodec('lz4', { implementation: 'portable' });
  const zstd = await loadCodec('zstd', { implementation: 'wasm' });
  return {
    spectral: [
      seed('raster', 'spectral', [3, 4], { layout: 'raster', fragments: 2 }),
      seed('ranked', 'spectral', [6, 10], { layout: 'ranked', fragments: 3 }),
      seed('essential', 'spectral', [5, 7], { layout: 'essential', fragments: 3 }),
      seed('zstd', 'spectral', [32, 20], { fragments: 4 }, { codec: zstd }),
      seed('prime', 'spectral', [61], { fragments: 2 }, { dtype: 'F16' }),
      ...references('spectral'),
    ],
    'random-projection': [
      seed('orthonormal', 'random-projection', [3, 4], { fragments: 2 }),
      seed('orthonormal-lz4', 'random-projection', [4, 30], { fragments: 4, seed: 7n }, { codec: lz4 }),
      seed('gaussian', 'random-projection', [5, 6], { matrix: 'gaussian', fragments: 2 }),
      ...references('random-projection'),
    ],
    'low-rank': [
      seed('single', 'low-rank', [3, 4], { rank: 2, fragments: 2 }),
      seed('residual', 'low-rank', [8, 9], { rank: 4, residual: true, fragments: 3 }),
      seed('interleaved', 'low-rank', [10, 6], { rank: 5, layout: 'interleaved', fragments: 2 }),
      ...references('low-rank'),
    ],
    embedded: [
      seed('tiny', 'embedded', [3, 4], { fragments: 2 }),
      seed('bf16', 'embedded', [40, 30], { fragments: 4 }, { dtype: 'BF16' }),
      seed('f16-zstd', 'embedded', [700], { fragments: 3 }, { dtype: 'F16', codec: zstd }),
      seed('two-tiles', 'embedded', [5, 200], { fragments: 6 }),
      seed('int8', 'embedded', [300], { fragments: 3, quantization: INT8_SCALE_1 }, { dtype: 'I8' }),
      seed('int4', 'embedded', [9, 13], { fragments: 2 }, { dtype: 'I4' }),
      seed('exceptions', 'embedded', [130], { fragments: 2 }, { exceptions: true }),
      seed('empty', 'embedded', [0, 3], { fragments: 1 }),
      seed('lz4', 'embedded', [40, 30], { fragments: 2 }, { zeros: true, codec: lz4 }),
    ],
  };
}

interface SeedOptions {
  readonly dtype?: DType;
  readonly codec?: Codec;
  /** Include NaNs and infinities. */
  readonly exceptions?: boolean;
  readonly zeros?: boolean;
}

function seed<E extends HolographicEncoding>(
  name: string,
  encoding: E,
  shape: readonly number[],
  options: HoloTensorEncoderOptions<E>,
  { dtype = 'F32', codec, exceptions, zeros }: SeedOptions = {},
): Seed {
  const numbers = noise(elementCount(shape)).map((value) => (zeros ? 0 : 8 * value ** 3));
  if (exceptions) numbers.set([Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-40], 60);
  const tensor = { dtype, shape, data: fromFloat32(dtype, numbers) };
  const { header, fragments } = new HoloTensorEncoder(encoding, options).encodeTensor(tensor);
  const bytes = concatBytes(packHoloTensor(header, fragments, { kernels: portableKernels, codec }));
  return { name, bytes, sealed: true };
}

/** Files of the reference, which have no norm. */
function references(encoding: HolographicEncoding): Seed[] {
  return manifest<HoloFixture[]>('holo')
    .filter((entry) => REFERENCE_ENCODINGS[entry.encoding] === encoding)
    .map(({ file }) => ({ name: file.replaceAll(/[/.]/g, '-'), bytes: readReference(file), sealed: false }))
    .filter(({ bytes }) => bytes.length < 2000);
}

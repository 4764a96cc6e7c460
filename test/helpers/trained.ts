/** Trained tensors, and generated ones that look trained, for tests that uniform noise would not stress. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { matrixShape } from '../../src/encodings/encoding.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import type { DType } from '../../src/tensor/dtype.js';
import { type Tensor, viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { modelOf, type TestTensor } from './models.js';
import { normalFrom, pseudoRandomBytes, randomFrom } from './random.js';

export interface NamedTensor extends Tensor<DType> {
  /** 'file/tensor' */
  readonly name: string;
  readonly data: Float32Array;
}

/** All F32 tensors of a safetensors file. */
export function readTensors(file: string, bytes: Uint8Array): NamedTensor[] {
  return parseSafetensorsHeader(bytes)
    .tensors.filter(({ dtype }) => dtype === 'F32')
    .map(({ name, shape, offset, byteLength }) => ({
      name: `${file}/${name}`,
      dtype: 'F32',
      shape,
      data: viewElements('F32', bytes.subarray(offset, offset + byteLength)) as Float32Array,
    }));
}

/**
 * Values with what is special about trained weights. The scales of rows differ by orders of magnitude, those of columns
 * by a little. The tails are heavy, and one direction dominates. Of 32 rows, one is dead (all zeros), one equals the row
 * before, and one was rounded, so that many of its values are equal. Three in a hundred weights are pruned.
 */
export function trainedLike(shape: readonly number[], seed = 1): Float32Array {
  const { rows, cols } = matrixShape(shape);
  const normal = normalFrom(seed);
  const random = randomFrom(seed ^ 0x5bd1e995);
  const columnScales = Array.from({ length: cols }, () => Math.exp(0.3 * normal()));
  const direction = Array.from({ length: cols }, normal);
  const values = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    const scale = 0.05 * Math.exp(normal());
    const along = 0.5 * normal();
    const row = values.subarray(r * cols, (r + 1) * cols);
    if (r % 32 === 7) continue;
    if (r % 32 === 13) row.set(values.subarray((r - 1) * cols, r * cols));
    else {
      for (let c = 0; c < cols; c++) {
        const value =
          scale * columnScales[c]! * (normal() * Math.exp(0.5 * normal()) + along * direction[c]!);
        row[c] = random() < 0.03 ? 0 : r % 32 === 21 ? (Math.round((4 * value) / scale) * scale) / 4 : value;
      }
    }
  }
  return values;
}

const LAYERS: readonly TestTensor[] = [
  { name: 'embedding.weight', dtype: 'F32', shape: [108, 128] },
  { name: 'conv.weight', dtype: 'F32', shape: [32, 3, 5, 5] },
  { name: 'conv.bias', dtype: 'F32', shape: [32] },
  { name: 'depthwise.weight', dtype: 'F32', shape: [48, 1, 9] },
  { name: 'norm.weight', dtype: 'F32', shape: [48] },
  { name: 'norm.num_batches_tracked', dtype: 'I64', shape: [] },
  { name: 'pointwise/kernel', dtype: 'F32', shape: [1, 1, 48, 64] },
  { name: 'lstm.0.weight', dtype: 'F32', shape: [256, 512] },
  { name: 'lstm.0.bias', dtype: 'F32', shape: [512] },
  { name: 'lstm.1.weight', dtype: 'F32', shape: [256, 512] },
  { name: 'lstm.1.bias', dtype: 'F32', shape: [512] },
  { name: 'head.weight', dtype: 'F32', shape: [1, 128] },
  { name: 'head.bias', dtype: 'F32', shape: [1] },
];

/** Made once. */
let layers: Uint8Array | undefined;

function madeLayers(): Uint8Array {
  return modelOf(LAYERS, new Map([['format', 'pt']]), ({ dtype, shape }, byteLength, index) =>
    dtype === 'F32' ? viewBytes(trainedLike(shape, index + 1)) : pseudoRandomBytes(byteLength),
  );
}

/** The model of the examples, which was trained. */
export const DIGITS_PATH = fileURLToPath(
  new URL('../../examples/digits/digits.safetensors', import.meta.url),
);

/** Whole safetensors files. */
export const TRAINED_FILES = {
  digits: new Uint8Array(readFileSync(DIGITS_PATH)),
  /** Layers as networks have them, with values that look trained: most tests need none of the time that it takes. */
  get layers(): Uint8Array {
    layers ??= madeLayers();
    return layers;
  },
};

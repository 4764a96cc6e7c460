import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import type { DType } from '../../src/tensor/dtype.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { viewElements } from '../../src/tensor/views.js';
import { readShared } from './shared.js';

/** The files of real weights; their names end in '.safetensors'. */
export const WEIGHT_FILES = [
  'aesthetic-mlp-relu',
  'charrnn-bronte',
  'g2p-gru',
  'mnist-cnn-burn',
  'mnist-mlp-ggml',
  'silero-vad-16k',
  'tiny-darknet',
] as const;

export interface NamedTensor extends Tensor<DType> {
  /** 'file/tensor' */
  readonly name: string;
  readonly data: Float32Array;
}

/** All F32 tensors of a file of real weights. */
export function readWeights(file: (typeof WEIGHT_FILES)[number]): NamedTensor[] {
  const bytes = readShared(`weights/${file}.safetensors`);
  return parseSafetensorsHeader(bytes)
    .tensors.filter(({ dtype }) => dtype === 'F32')
    .map(({ name, shape, offset, byteLength }) => ({
      name: `${file}/${name}`,
      dtype: 'F32',
      shape,
      data: viewElements('F32', bytes.subarray(offset, offset + byteLength)) as Float32Array,
    }));
}

export function readWeight(file: (typeof WEIGHT_FILES)[number], name: string): NamedTensor {
  const tensor = readWeights(file).find((candidate) => candidate.name === `${file}/${name}`);
  if (tensor === undefined) throw new Error(`${file} has no tensor ${name}`);
  return tensor;
}

import { ArgumentError } from '../../src/errors.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Layer } from './mlp.js';

/** The digits model's tensors by their names in `digits.safetensors`, PyTorch's way: `fc1.weight` is [outputs, inputs]. */
export function tensorsOf(layers: readonly Layer[]): Map<string, Tensor<'F32'>> {
  const tensors = new Map<string, Tensor<'F32'>>();
  for (const [i, { inputs, outputs, weight, bias }] of layers.entries()) {
    tensors.set(`fc${i + 1}.weight`, { dtype: 'F32', shape: [outputs, inputs], data: weight });
    tensors.set(`fc${i + 1}.bias`, { dtype: 'F32', shape: [outputs], data: bias });
  }
  return tensors;
}

/** Tensors of any origin: collected, streamed or loaded. */
type TensorsByName = ReadonlyMap<string, { readonly data: unknown }>;

/** The layers fc1, fc2, … */
export function layersOf(tensors: TensorsByName): Layer[] {
  const layers: Layer[] = [];
  for (let i = 1; tensors.has(`fc${i}.weight`); i++) {
    const weight = floats(tensors, `fc${i}.weight`);
    const bias = floats(tensors, `fc${i}.bias`);
    layers.push({ inputs: weight.length / bias.length, outputs: bias.length, weight, bias });
  }
  return layers;
}

function floats(tensors: TensorsByName, name: string): Float32Array {
  const data = tensors.get(name)?.data;
  if (!(data instanceof Float32Array)) throw new ArgumentError('no F32 tensor of this name', { name });
  return data;
}

import type { SafetensorsDType } from '../src/safetensors/dtypes.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { viewElements } from '../src/tensor/views.js';
import { readSafetensorsHeader } from './safetensorsHeader.js';

/**
 * All tensors of a safetensors file, by name, in the order of their data: for models that fit memory.
 * Where the source gives views of its bytes, as `bytesSource` does, the tensors share that memory.
 *
 * @example
 * const tensors = await readSafetensors(httpSource('https://example.org/model.safetensors'));
 *
 * @throws FormatError, TruncatedError, LimitError, SourceError
 */
export async function readSafetensors(
  source: RandomAccessSource,
  options: AbortOptions = {},
): Promise<Map<string, Tensor<SafetensorsDType>>> {
  const header = await readSafetensorsHeader(source, options);
  const tensors = new Map<string, Tensor<SafetensorsDType>>();
  for (const { name, dtype, shape, offset, byteLength } of header.tensors) {
    const bytes = await source.read(offset, byteLength, options);
    tensors.set(name, { dtype, shape, data: viewElements(dtype, bytes) });
  }
  return tensors;
}

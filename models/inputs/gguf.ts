import { runScan } from '../../readers/runScan.js';
import { limitsOf } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import { type GgufTensor, scanGguf } from '../../src/gguf/scanGguf.js';
import {
  type SafetensorsDType,
  type SafetensorsTensor,
  safetensorsByteLength,
} from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { layoutOf } from './layout.js';

/** Types of ggml that are numbers; all others are quantized blocks, whose bytes are carried as they are. */
const PLAIN_TYPES: Readonly<Record<number, SafetensorsDType>> = {
  0: 'F32',
  1: 'F16',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
};

/** A GGUF file: its tensors of numbers, its quantized tensors as bytes, and its head as it is. */
export async function openGguf(
  source: RandomAccessSource,
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.gguf', limits } = options;
  const { tensors } = await runScan(source, (window) => scanGguf(window, { limits }), options);
  const { size = 0 } = source;
  const byPlace = [...tensors].sort((a, b) => a.offset - b.offset);
  const parts = byPlace.map((tensor, i) => partOf(tensor, byPlace[i + 1]?.offset ?? size));
  return {
    files: [{ name, source, layout: layoutOf(name, size, parts, limitsOf({ limits })) }],
    beside: [],
    close: async () => {},
  };
}

/** @param next where the next tensor begins: the blocks of a quantized one may end anywhere before */
function partOf({ name, shape, type, offset }: GgufTensor, next: number): SafetensorsTensor {
  const dtype = PLAIN_TYPES[type];
  if (dtype === undefined) {
    const byteLength = Math.max(0, next - offset);
    return { name, dtype: 'U8', shape: [byteLength], offset, byteLength };
  }
  const byteLength = safetensorsByteLength(dtype, shape);
  if (byteLength !== undefined) return { name, dtype, shape, offset, byteLength };
  throw new FormatError('Cannot read the GGUF file: a tensor is too large', { tensor: name, actual: shape });
}

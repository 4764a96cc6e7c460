import { type SafetensorsDType, safetensorsByteLength } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { pseudoRandomBytes } from './random.js';

export interface TestTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** A safetensors file of these tensors, filled with bytes that look random. */
export function modelOf(
  tensors: readonly TestTensor[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const { header, bytes } = serializeSafetensorsHeader(tensors, metadata);
  const file = new Uint8Array(header.fileSize);
  file.set(bytes);
  for (const [i, { offset, dtype, shape }] of header.tensors.entries()) {
    file.set(pseudoRandomBytes(safetensorsByteLength(dtype, shape)!, i + 1), offset);
  }
  return file;
}

/** Names that are hostile as file names, that collide, and a tensor of every kind that HCT does not know. */
export const HOSTILE_TENSORS: readonly TestTensor[] = [
  { name: '../x', dtype: 'F32', shape: [3, 5] },
  { name: '/etc/passwd', dtype: 'F32', shape: [7] },
  { name: 'a/b', dtype: 'BF16', shape: [100, 9] },
  { name: 'A/B', dtype: 'BF16', shape: [2] },
  { name: 'a_b', dtype: 'F16', shape: [2, 3, 4, 5] },
  { name: 'manifest.json', dtype: 'I8', shape: [9] },
  { name: 'con', dtype: 'F32', shape: [0, 4] },
  { name: '', dtype: 'F32', shape: [] },
  { name: 'é\n\u001b[31m', dtype: 'I64', shape: [4] },
  { name: '__proto__', dtype: 'BOOL', shape: [3] },
  { name: 'counts', dtype: 'U8', shape: [70000] },
  { name: 'wide', dtype: 'F64', shape: [2, 2] },
  { name: 'large', dtype: 'F32', shape: [600, 700] },
];

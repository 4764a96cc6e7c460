import type { SafetensorsDType } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { pseudoRandomBytes } from './random.js';

export interface TestTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** The bytes of a tensor of a test model; `index` counts the tensors of the file. */
export type Fill = (tensor: TestTensor, byteLength: number, index: number) => Uint8Array;

/** A safetensors file of these tensors, filled with bytes that look random unless `fill` says otherwise. */
export function modelOf(
  tensors: readonly TestTensor[],
  metadata?: ReadonlyMap<string, string>,
  fill: Fill = (_, byteLength, index) => pseudoRandomBytes(byteLength, index + 1),
): Uint8Array<ArrayBuffer> {
  const { header, bytes } = serializeSafetensorsHeader(tensors, metadata);
  const file = new Uint8Array(header.fileSize);
  file.set(bytes);
  for (const [i, tensor] of header.tensors.entries())
    file.set(fill(tensor, tensor.byteLength, i), tensor.offset);
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
